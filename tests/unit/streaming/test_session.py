"""A session between two rounds: what the consumer says in place of records, and what others see of it."""

from __future__ import annotations

import threading
import weakref
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from streaming.breaker import Breaker
from streaming.faust import assignment
from streaming.faust.session import Session
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.table import Table
from streaming.faust.watchdog import Watchdog
from streaming.metrics import REGISTRY
from streaming.probes import Readiness
from streaming.stage import Stage, TransientError


class FakeConsumer:
    """A group of one member; hands out what the test has laid ready."""

    def __init__(self) -> None:
        self.metadata = b"nobody"
        self.ready: list[Any] = []
        self.calls: dict[str, Any] = {}

    def consumer_group_metadata(self) -> bytes:
        return self.metadata

    def subscribe(self, _: list[str], **calls: Any) -> None:
        self.calls = calls

    def give(self, *numbers: int) -> list[Any]:
        """Assign these partitions; no record comes of that."""
        self.metadata += b"."
        self.calls["on_assign"](self, [TopicPartition("in", number) for number in numbers])
        return []

    def consume(self, *_: Any) -> list[Any]:
        found = self.ready.pop(0) if self.ready else []
        return found() if callable(found) else found

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        return 0, 10

    def assign(self, _: Any) -> None: ...
    def unassign(self) -> None: ...
    def unsubscribe(self) -> None: ...
    def close(self) -> None: ...


class FakeKeeper:
    """Is always ready, and settles nothing."""

    def __init__(self) -> None:
        self.settled = self.abandoned = 0
        self.order: list[int] = []

    def prepare(self, _: Any, waiting: Any) -> bool:
        for part in waiting:
            part.next = 5
        return True

    def settle(self, work: Any, *_: Any) -> None:
        self.settled += len(work)
        self.order = [one.part.number for one in work]

    def abandon(self) -> None:
        self.abandoned += 1

    def open(self) -> None: ...
    def tend(self, *_: Any) -> None: ...
    def close(self) -> None: ...


def said(partition: int, offset: int, code: int | None = None) -> Any:
    error = None if code is None else KafkaError(code)
    return SimpleNamespace(
        error=lambda: error, partition=lambda: partition, offset=lambda: offset, headers=lambda: None
    )


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> FakeConsumer:
    made = FakeConsumer()
    monkeypatch.setattr(EngineSettings, "group_consumer", lambda _: made)
    return made


@pytest.fixture
def session(consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(assignment, "LEAVE_SECONDS", 0.1)  # nobody takes the partitions of a fake away
    stage = Stage("s", "in", "failed", lambda _: None)
    status = Status("s", Breaker(1, 1.0, 10, 0.0), Readiness(), lambda: None)
    settings = EngineSettings(bootstrap="nowhere:1", group="g")
    made = Session(stage, settings, FakeKeeper(), status, Watchdog())  # type: ignore[arg-type]
    made.open()
    consumer.give(0, 1)
    made.step()
    assert made.assignment.running() == 2
    return made


def test_an_offset_out_of_range_beside_records_of_another_partition_is_looked_up_anew(
    session: Session, consumer: FakeConsumer
) -> None:
    consumer.ready = [[said(0, 5)], [said(1, 5, KafkaError._AUTO_OFFSET_RESET)]]
    session.step()

    assert session.keeper.settled == 0  # type: ignore[attr-defined]
    assert session.assignment.running() == 0
    session.step()
    assert session.assignment.running() == 2


@pytest.mark.parametrize("given", [(), (0,), (0, 1)], ids=["none is left", "it is lost", "it is ours again"])
@pytest.mark.parametrize("gathered", [0, 1], ids=["with the first record", "while a round gathers"])
def test_records_handed_over_across_a_new_assignment_settle_nothing(
    session: Session, consumer: FakeConsumer, given: tuple[int, ...], gathered: int
) -> None:
    """The broker takes offsets of a partition that was lost, if they come with the metadata of a new membership."""
    consumer.ready = [[said(1, 5)]] * gathered + [lambda: [*consumer.give(*given), said(1, 6)]]
    session.step()

    assert session.keeper.settled == 0  # type: ignore[attr-defined]
    assert session.keeper.abandoned == 1  # type: ignore[attr-defined]
    session.step()
    assert session.assignment.running() == len(given)


def test_what_was_prepared_for_one_assignment_is_void_in_the_next(
    session: Session, consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even of partitions that stay ours: between the two, others may have had them."""
    monkeypatch.setattr(session.keeper, "prepare", lambda *_: False)
    consumer.give(0, 1)
    session.step()
    session.step()
    before = session.keeper.abandoned  # type: ignore[attr-defined]
    consumer.ready = [lambda: consumer.give(0, 1)]
    session.step()

    assert session.keeper.abandoned == before + 1  # type: ignore[attr-defined]


def test_partitions_are_settled_in_the_order_of_their_numbers_in_which_the_breaker_hears_of_them(
    session: Session, consumer: FakeConsumer
) -> None:
    consumer.ready = [[said(1, 5)], [said(0, 5)]]
    session.step()

    assert session.keeper.order == [0, 1]  # type: ignore[attr-defined]


def test_records_that_come_while_nothing_may_be_done_are_fetched_again_later(
    session: Session, consumer: FakeConsumer
) -> None:
    session.status.breaker.note([True], 0.0)
    assert session.status.breaker.is_open
    consumer.ready = [[said(0, 5)], [said(1, 5)]]
    session.step()

    assert session.keeper.settled == 0  # type: ignore[attr-defined]
    assert session.assignment.running() == 0


def test_a_stage_that_its_breaker_stopped_names_no_partitions_that_have_to_be_recovered(
    session: Session, consumer: FakeConsumer
) -> None:
    session.status.breaker.note([True], 0.0)
    consumer.ready = [[said(0, 5)]]
    session.step()
    session.step()
    conditions = session.status.readiness.as_json()["conditions"]

    assert [name for name, one in conditions.items() if not one["ok"]] == ["s.breaker"]


def test_rounds_that_follow_closely_gather_for_as_long_as_the_last_one_took(
    session: Session, consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[float] = []
    consume = consumer.consume

    def noting(count: int, timeout: float) -> Any:
        if count > 1:
            gathered.append(timeout)
        return consume(count, timeout)

    monkeypatch.setattr(consumer, "consume", noting)
    monkeypatch.setattr(session.keeper, "settle", lambda *_: sleep(0.015))
    consumer.ready = [[said(0, 5)], [], [said(0, 6)], []]
    session.step()
    session.step()

    assert gathered[0] == session.settings.linger_seconds
    assert session.settings.linger_seconds < gathered[1] <= session.settings.pause_seconds


def test_a_fault_that_was_waited_out_is_forgotten_when_the_partitions_go_to_others(
    session: Session, consumer: FakeConsumer
) -> None:
    session.status.waits("the database is away")
    assert "the database is away" in str(session.status.readiness.as_json())
    consumer.ready = [lambda: consumer.give()]
    session.step()
    session.step()

    assert "the database is away" not in str(session.status.readiness.as_json())


def test_the_lag_of_partitions_that_others_have_is_not_told_any_more(session: Session) -> None:
    session.lag._due = 0.0
    session.step()
    shown = {"stage": "s", "topic": "in", "partition": "1"}
    assert REGISTRY.get_sample_value("baton_consumer_lag_records", shown) is not None
    session.close()

    assert REGISTRY.get_sample_value("baton_consumer_lag_records", shown) is None


def test_a_round_that_a_store_gives_up_is_tried_again_with_fewer_records(
    session: Session, consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_up(*_: Any) -> None:
        raise TransientError("idle in a transaction for too long")

    before = session._size
    monkeypatch.setattr(session.keeper, "settle", gives_up)
    consumer.ready = [[said(0, 5)], []]
    session.step()

    assert session._size == before // 2


class Kept(Table):
    """State that may be looked for."""

    __slots__ = ("__weakref__",)


def test_state_of_a_session_that_was_lost_goes_to_the_next_one_and_what_that_does_not_get_is_freed(
    session: Session, consumer: FakeConsumer
) -> None:
    kept: weakref.WeakValueDictionary[int, Kept] = weakref.WeakValueDictionary()
    for number, part in session.assignment.parts.items():
        part.state = kept[number] = Kept()
    session.close()
    assert sorted(kept) == [0, 1]
    assert session.assignment.parts == {}

    again = Session(session.stage, session.settings, FakeKeeper(), session.status, Watchdog())  # type: ignore[arg-type]
    again.open()
    consumer.give(1)
    assert sorted(kept) == [1]  # the old session is still there, as one that garbage holds
    assert again.assignment.parts[1].state is kept[1]


def test_a_consumer_that_does_not_close_is_waited_for_unless_the_process_is_to_end(
    session: Session, consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has lost the group's coordinator does so where a commit of its is still under way."""
    answered, left = threading.Event(), threading.Event()
    monkeypatch.setattr(consumer, "close", answered.wait)
    consumer.calls["on_revoke"](consumer, [])

    def leave() -> None:
        session.close()
        left.set()

    leaving = threading.Thread(target=leave, daemon=True)
    leaving.start()
    try:
        assert not left.wait(0.5)
        session.watchdog.hurry(0.0)
        assert left.wait(5), "it does not let go of it"
    finally:
        answered.set()
        leaving.join(5)
