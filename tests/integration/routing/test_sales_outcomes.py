from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.routing.ledger import Ledger
from services.routing.ledger.answers import Desk
from services.routing.outcomes import Outcomes
from streaming.memory import MemoryRecord
from streaming.metrics import REGISTRY
from tests.integration.routing.desk import everything, feed, outbox, rows, runner
from tests.unit.routing import world

pytestmark = pytest.mark.postgres


def record(offset: int, value: bytes | None) -> MemoryRecord:
    return MemoryRecord("sales.outcomes", 0, offset, b"lena", value, (), 0)


def outcome(kind: str, number: int = 1, **more: Any) -> bytes:
    at = {"lead_id": "lena", "occurred_at": "2026-09-24T13:00:00Z"}
    return orjson.dumps({"outcome_id": f"o-{number}", "kind": kind, **at, **more})


@pytest.fixture
def outcomes(ledger: Ledger) -> Outcomes:
    feed(runner(ledger, world.plan()), world.lead("lena", segments=["enterprise"]))
    return Outcomes(ledger, world.plan(), clock=lambda: world.NOON + 60)


def status(ledger: Ledger) -> tuple[str, str | None]:
    (found,) = rows(ledger, "SELECT status, outcome FROM assignments")
    return found["status"], found["outcome"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("accepted", ("accepted", None)),
        ("contacted", ("accepted", None)),
        ("meeting_booked", ("accepted", None)),
        ("qualified", ("accepted", None)),
        ("won", ("closed", "won")),
        ("recycled", ("closed", "recycled")),
        ("declined", ("offered", None)),
    ],
)
def test_an_outcome_moves_the_assignment(
    ledger: Ledger, outcomes: Outcomes, kind: str, expected: tuple[str, str | None]
) -> None:
    assert "applied" == outcomes.take(record(0, outcome(kind)))
    assert expected == status(ledger)


def test_a_lead_that_is_closed_frees_the_rep(ledger: Ledger, outcomes: Outcomes) -> None:
    outcomes.take(record(0, outcome("lost")))

    assert [{"open": 0}] == rows(ledger, "SELECT open FROM reps WHERE id = 'ana'")


def test_outcomes_of_a_topic_that_was_made_anew_are_taken(ledger: Ledger, outcomes: Outcomes) -> None:
    """Its offsets lie before the position; so do those of a topic that lost its end."""
    assert "applied" == outcomes.take(record(7, outcome("accepted", 1)))
    taken = [
        outcomes.take(record(0, outcome("accepted", 1))),
        outcomes.take(record(1, outcome("won", 2))),
        outcomes.take(record(2, b"{")),
    ]

    assert ["duplicate", "applied", "duplicate"] == taken
    assert ("closed", "won") == status(ledger)


def test_an_outcome_that_comes_twice_changes_nothing(ledger: Ledger, outcomes: Outcomes) -> None:
    outcomes.take(record(0, outcome("won")))
    before = everything(ledger)
    repeated = [outcomes.take(record(0, outcome("won"))), outcomes.take(record(1, outcome("won")))]

    assert ["duplicate", "duplicate"] == repeated
    assert before == everything(ledger)


def test_an_outcome_of_an_unknown_lead_is_kept(ledger: Ledger, outcomes: Outcomes) -> None:
    assert "unmatched" == outcomes.take(record(0, outcome("won", lead_id="nobody")))
    assert [{"lead_id": "nobody"}] == rows(ledger, "SELECT lead_id FROM outcomes")


@pytest.mark.parametrize("value", [None, b"{", b'{"outcome_id": "o"}', outcome("won", reason="\x00")])
def test_a_malformed_outcome_fails_once_with_its_bytes(ledger: Ledger, outcomes: Outcomes, value: bytes | None) -> None:
    results = [outcomes.take(record(0, value)), outcomes.take(record(0, value))]
    failed = rows(ledger, "SELECT value FROM outbox WHERE topic = 'routing.failed'")

    assert ["failed", "duplicate"] == results
    assert [value] == [None if row["value"] is None else bytes(row["value"]) for row in failed]


def test_an_outcome_at_which_the_desk_stumbles_fails_whenever_it_comes(
    ledger: Ledger, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(Desk, "hear", stumble)
    results = [outcomes.take(record(0, outcome("won"))), outcomes.take(record(0, outcome("won")))]
    failed = rows(ledger, "SELECT headers FROM outbox WHERE topic = 'routing.failed' ORDER BY id")
    reasons = [dict(orjson.loads(bytes(row["headers"])))["baton_reason"] for row in failed]

    assert ["failed", "duplicate"] == results
    assert ["handler_error", "handler_error"] == reasons


def test_a_failed_outcome_counts_among_the_failed_of_routing_and_once(outcomes: Outcomes) -> None:
    def failed() -> float:
        return REGISTRY.get_sample_value("baton_failed_total", {"stage": "routing", "reason": "invalid_json"}) or 0.0

    before = failed()
    for _ in range(2):
        outcomes.take(record(0, b"{"))

    assert 1 == failed() - before


@pytest.mark.parametrize(
    ("occurred_at", "stamp", "expected"),
    [
        ("1999-12-31T23:59:59Z", 0, "failed"),
        ("2000-01-01T00:00:00Z", 0, "applied"),
        ("2026-09-25T12:01:00Z", 0, "applied"),  # 24 hours ahead of the worker's clock
        ("2026-09-25T12:01:01Z", 0, "failed"),
        ("2026-09-24T12:00:00Z", 1_790_000_000_000, "failed"),  # the record is of 2026-09-21T14:13:20Z
        ("2026-09-25T12:01:01Z", 2**62, "failed"),  # the record's clock is ahead as well
    ],
)
def test_an_outcome_of_an_impossible_time_is_refused(
    ledger: Ledger, outcomes: Outcomes, occurred_at: str, stamp: int, expected: str
) -> None:
    value = outcome("won", occurred_at=occurred_at)
    taken = outcomes.take(MemoryRecord("sales.outcomes", 0, 0, b"lena", value, (), stamp))
    reasons = [
        dict(orjson.loads(bytes(row["headers"])))["baton_reason"]
        for row in rows(ledger, "SELECT headers FROM outbox WHERE topic = 'routing.failed'")
    ]

    assert (expected, ["schema_violation"] * (expected == "failed")) == (taken, reasons)


def test_a_recycled_lead_that_qualifies_anew_is_assigned_anew(ledger: Ledger, outcomes: Outcomes) -> None:
    outcomes.take(record(0, outcome("recycled")))
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena"))  # the old record, replayed
    feed(run, world.lead("lena", as_of="2026-10-24T12:00:00Z", transition=None))  # still as it was
    before = len(rows(ledger, "SELECT 1 FROM assignments"))
    again = world.lead("lena", as_of="2026-10-25T12:00:00Z")
    feed(run, again, again)

    assert 1 == before
    assert [1, 2] == [row["q"] for row in rows(ledger, "SELECT qualification AS q FROM assignments ORDER BY 1")]
    assert 1 == len(outbox(ledger, "sales.queue.general"))
