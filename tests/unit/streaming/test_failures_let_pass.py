"""What an operator lets fail does fail, however many more records wait behind it and however large rounds are."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.breaker import Breaker
from streaming.faust.session import Session
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.watchdog import Watchdog
from streaming.probes import Readiness
from streaming.run import Result
from streaming.stage import Failure, Stage
from tests.unit.streaming.test_session import FakeConsumer, FakeKeeper, said

LIMIT, POISON = 100, 3_000


class Backlog(FakeConsumer):
    """A partition of records, each of which fails."""

    def __init__(self) -> None:
        super().__init__()
        self.at: int | None = None

    def assign(self, slots: Any) -> None:
        self.at = slots[0].offset if slots else None

    def consume(self, count: int, *_: Any) -> list[Any]:
        if self.at is None:
            return []
        first, self.at = self.at, min(POISON, self.at + count)
        records = [said(0, offset) for offset in range(first, self.at)]
        for record in records:
            record.timestamp = lambda: (0, 0)
        return records


class Settling(FakeKeeper):
    """Moves a partition on where the breaker lets its failures pass."""

    def prepare(self, assignment: Any, waiting: Any) -> bool:
        for part in waiting:
            part.next = max(part.next, 0)
        return True

    def settle(self, work: Any, assignment: Any, now: float, check: Any = None) -> None:
        [one] = work
        one.result = Result([], {}, [Failure(record, "bad", "") for record in one.records], {})
        check(one.flags())
        self.settled += len(one.records)
        one.part.next = one.end


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    consumer = Backlog()
    monkeypatch.setattr(EngineSettings, "group_consumer", lambda _: consumer)
    status = Status("s", Breaker(LIMIT, 1.0, POISON, 0.0), Readiness(), lambda: None)
    settings = EngineSettings(bootstrap="nowhere:1", group="g", linger_seconds=0.0, pause_seconds=0.0)
    made = Session(Stage("s", "in", "failed", lambda _: None), settings, Settling(), status, Watchdog())  # type: ignore[arg-type]
    made.open()
    consumer.give(0)
    return made


def until_it_stops(session: Session) -> int:
    """How many records were committed by then."""
    for _ in range(100):
        session.step()
        if session.status.breaker.is_open:
            break
    assert session.status.breaker.is_open
    return int(session.keeper.settled)  # type: ignore[attr-defined]


@pytest.mark.parametrize("allowance", [1, 500, 2_899])
def test_failures_up_to_the_allowance_pass_where_a_round_holds_more_of_them(session: Session, allowance: int) -> None:
    assert until_it_stops(session) == 0
    session.status.close_breaker(allowance)
    session.step()

    assert allowance <= until_it_stops(session) < allowance + LIMIT
    assert session.status.breaker.allowance == 0


def test_without_a_word_the_stage_stops_at_once(session: Session) -> None:
    assert until_it_stops(session) == 0
    session.status.close_breaker()

    assert until_it_stops(session) == 0
    assert session._size == session.settings.max_records
