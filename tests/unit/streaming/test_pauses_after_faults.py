"""How long a session takes nothing after a fault that passes: longer after each, and as at first once all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from streaming.breaker import Breaker
from streaming.faust.faults import Refused, Unsettled
from streaming.faust.session import Session
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.watchdog import Watchdog
from streaming.probes import Readiness
from streaming.stage import Stage, TransientError
from tests.unit.streaming.test_session import FakeConsumer, FakeKeeper, said

AWAY = TransientError("the ledger is away")


class Failing(FakeKeeper):
    """Raises what it is told to, where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, Exception] = {}

    def prepare(self, assignment: Any, waiting: Any) -> bool:
        if fault := self.faults.get("prepare"):
            raise fault
        return super().prepare(assignment, waiting)

    def settle(self, work: Any, *more: Any) -> None:
        if fault := self.faults.get("settle"):
            raise fault
        super().settle(work, *more)

    def renew(self) -> None: ...


@dataclass
class Tried:
    """A session on a clock that only the test moves on."""

    consumer: FakeConsumer
    keeper: Failing
    session: Session
    now: float = 1_000.0

    def pause(self) -> float:
        """How long it takes nothing from now on."""
        return max(0.0, self.session._held_until - self.now)

    def round(self) -> float:
        """Let the pause pass, and a record come; the pause that this leads to."""
        self.now += self.pause()
        self.session.step()  # partitions go on first
        if not self.pause():
            self.consumer.ready = [[said(0, 5)], []]
            self.session.step()
        return self.pause()


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Tried:
    consumer, keeper = FakeConsumer(), Failing()
    monkeypatch.setattr(EngineSettings, "group_consumer", lambda _: consumer)
    status = Status("s", Breaker(), Readiness(), lambda: None)
    settings = EngineSettings(bootstrap="nowhere:1", group="g")
    session = Session(Stage("s", "in", "failed", lambda _: None), settings, keeper, status, Watchdog())  # type: ignore[arg-type]
    found = Tried(consumer, keeper, session)
    monkeypatch.setattr("streaming.faust.session.monotonic", lambda: found.now)
    session.open()
    consumer.give(0)
    return found


@pytest.mark.parametrize(
    ("where", "fault"),
    [("settle", AWAY), ("settle", Refused("by the broker")), ("prepare", AWAY), ("prepare", Unsettled("not yet"))],
    ids=["of the store", "of the group", "of the store before the first", "of a transaction that is not over"],
)
def test_a_pause_doubles_with_each_fault_from_a_tenth_of_a_second_to_ten(
    tried: Tried, where: str, fault: Exception
) -> None:
    tried.keeper.faults[where] = fault

    assert [tried.round() for _ in range(9)] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])


def test_hours_of_faults_make_it_no_longer(tried: Tried) -> None:
    """And 2 to the power of as many is no number of seconds that could be waited."""
    tried.keeper.faults["settle"] = AWAY

    assert [tried.round() for _ in range(1_100)][-1] == pytest.approx(10.0)


def test_after_a_round_that_ends_well_the_next_fault_is_a_first_one(tried: Tried) -> None:
    tried.keeper.faults["settle"] = AWAY
    before = [tried.round() for _ in range(3)]
    tried.keeper.faults.clear()
    well = tried.round()
    tried.keeper.faults["settle"] = AWAY

    assert (well, tried.keeper.settled) == (0.0, 1)
    assert before == pytest.approx([0.1, 0.2, 0.4])
    assert [tried.round() for _ in range(2)] == pytest.approx([0.1, 0.2])


def test_that_partitions_go_on_is_no_round_that_ends_well(tried: Tried) -> None:
    """Each try begins with that: were it one, a pause would never be longer than the first."""
    tried.keeper.faults["settle"] = AWAY
    tried.round()
    tried.now += tried.pause()
    tried.session.step()
    assert tried.session.assignment.running() == 1

    assert tried.round() == pytest.approx(0.2)


def test_with_other_partitions_the_next_fault_is_a_first_one(tried: Tried) -> None:
    tried.keeper.faults["settle"] = AWAY
    for _ in range(3):
        tried.round()
    tried.consumer.ready = [lambda: tried.consumer.give(0, 1)]
    tried.session.step()

    assert tried.round() == pytest.approx(0.1)


def test_in_a_pause_nothing_is_prepared_or_settled_and_the_group_is_served(tried: Tried) -> None:
    tried.keeper.faults["settle"] = AWAY
    until = tried.now + tried.round()
    tried.keeper.faults.clear()
    tried.consumer.ready = [[]]
    tried.now = until - 0.001
    tried.session.step()
    running, served = tried.session.assignment.running(), tried.consumer.ready == []
    tried.now = until
    tried.session.step()

    assert (served, running, tried.keeper.settled) == (True, 0, 0)
    assert tried.session.assignment.running() == 1
