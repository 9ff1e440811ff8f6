"""A session with a store and records of several partitions: what the breaker lets pass and what it does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from streaming.breaker import Breaker
from streaming.faust import external
from streaming.faust.cluster import NO_ID
from streaming.faust.external import StoreKeeper
from streaming.faust.faults import EngineBroken
from streaming.faust.session import Session
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.watchdog import Watchdog
from streaming.probes import Readiness
from streaming.stage import Batch, Stage
from tests.integration.engine.stages import MemoryStore
from tests.unit.streaming.test_session import FakeConsumer

CONSECUTIVE = 10


def record(partition: int, offset: int, *, bad: bool = False) -> Any:
    value = b"bad" if bad else b"good"
    found: dict[str, Any] = {"topic": "in", "partition": partition, "offset": offset, "key": b"k", "value": value}
    found["timestamp"] = (1, 0)
    return SimpleNamespace(error=lambda: None, headers=list, **{name: lambda v=v: v for name, v in found.items()})


def handler(batch: Batch[Any]) -> None:
    for message in batch.records:
        if message.value() == b"bad":
            batch.fail(message, "bad", "it says so")
        else:
            at = b"%d-%d" % (message.partition(), message.offset())
            batch.emit("out", message.key(), at, lane=message.partition())


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> FakeConsumer:
    made = FakeConsumer()
    made.commit = lambda **_: None  # type: ignore[attr-defined]
    monkeypatch.setattr(EngineSettings, "group_consumer", lambda _: made)
    monkeypatch.setattr(EngineSettings, "offset_reader", lambda *_: None)
    monkeypatch.setattr(external, "topic_id", lambda *_: "first")
    monkeypatch.setattr(external, "ends", lambda _, __, numbers: dict.fromkeys(numbers, (0, 1000)))
    return made


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(positions={("in", 0): 0, ("in", 1): 0})


@pytest.fixture
def session(consumer: FakeConsumer, store: MemoryStore) -> Session:
    stage, settings = Stage("s", "in", "s.failed", handler, store=store), EngineSettings(bootstrap="n:1", group="g")
    status = Status("s", Breaker(CONSECUTIVE, 1.0, 1_000, 60.0), Readiness(), lambda: None)
    made = Session(stage, settings, StoreKeeper(stage, store, settings, Watchdog()), status, Watchdog())
    made.open()
    consumer.give(0, 1)
    made.step()
    assert made.assignment.running() == 2
    return made


def published(store: MemoryStore, topic: str) -> list[bytes | None]:
    return [output.value for output in store.outbox if output.topic == topic]


def test_a_round_that_was_committed_opens_no_breaker_whichever_partition_was_fetched_first(
    session: Session, consumer: FakeConsumer, store: MemoryStore
) -> None:
    first = [record(0, at, bad=at < 6) for at in range(8)]
    second = [record(1, at, bad=at >= 2) for at in range(8)]  # as many in a row as open it, were it before `first`
    consumer.ready = [second[:1], second[1:] + first]
    session.step()

    assert store.positions == {("in", 0): 8, ("in", 1): 8}
    assert not session.status.breaker.is_open
    assert len(published(store, "s.failed")) == 12


def test_a_round_that_would_open_the_breaker_moves_no_partition_and_what_follows_is_not_passed_over(
    session: Session, consumer: FakeConsumer, store: MemoryStore
) -> None:
    bad = [record(1, at, bad=True) for at in range(CONSECUTIVE)]
    consumer.ready = [[record(0, 0)], bad]
    session.step()
    consumer.ready = [[record(0, 1)], [record(1, CONSECUTIVE)]]  # still comes, although nothing is to be fetched
    session.step()

    assert session.status.breaker.is_open
    assert store.positions == {("in", 0): 0, ("in", 1): 0}
    assert store.outbox == []

    session.status.close_breaker(allowance=CONSECUTIVE)
    session.step()  # asks anew where the partitions go on
    consumer.ready = [[record(0, 0)], [record(0, 1), *bad, record(1, CONSECUTIVE)]]
    session.step()

    assert store.positions == {("in", 0): 2, ("in", 1): CONSECUTIVE + 1}
    assert published(store, "out") == [b"0-0", b"0-1", b"1-10"]


def test_the_group_hears_how_far_a_store_is_once_a_second_and_before_the_worker_leaves(
    session: Session, consumer: FakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[int, int]] = []
    consumer.commit = lambda offsets, **_: told.append({at.partition: at.offset for at in offsets})  # type: ignore[attr-defined]
    now = [1e9]
    monkeypatch.setattr(external, "monotonic", lambda: now[0])
    for at in range(3):
        consumer.ready = [[record(0, at)], []]
        session.step()
    assert told == [{0: 1}]

    now[0] += external.SHOW_SECONDS
    session.step()
    assert told == [{0: 1}, {0: 3}]

    consumer.ready = [[record(1, 0)], []]
    session.step()
    session.keeper.tend(session.assignment, leaving=True)
    assert told == [{0: 1}, {0: 3}, {1: 1}]


def test_positions_of_another_topic_of_that_name_are_not_believed(session: Session, store: MemoryStore) -> None:
    """That would pass over what the new one holds, once it has grown past them."""
    assert store.origins == {"in": "first"}
    store.origins["in"] = "older"
    session.keeper = StoreKeeper(session.stage, store, session.settings, Watchdog())
    for part in session.assignment.parts.values():
        part.running = False
    with pytest.raises(EngineBroken, match="in was made anew"):
        session.step()
    assert session.assignment.running() == 0


def test_a_broker_that_names_no_topics_is_believed(
    session: Session, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "topic_id", lambda *_: NO_ID)
    session.keeper = StoreKeeper(session.stage, store, session.settings, Watchdog())
    for part in session.assignment.parts.values():
        part.running = False
    session.step()
    assert session.assignment.running() == 2
    assert store.origins == {"in": "first"}
