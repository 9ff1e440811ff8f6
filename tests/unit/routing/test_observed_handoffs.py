from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from schemas import Assignment
from services.routing.ledger.outbox import Waiting
from services.routing.observed import observe
from streaming.metrics import REGISTRY
from streaming.stage import Output


def published(topic: str, value: bytes | None) -> Waiting:
    return Waiting(1, 0, 0, Output(topic, b"lena", value))


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def change(status: str, rep: str | None) -> bytes:
    at = datetime(2026, 9, 24, tzinfo=UTC)
    return Assignment.model_validate(
        {
            "assignment_id": "a",
            "lead_id": "lena",
            "sequence": 1,
            "queue": "observed",
            "rep": rep,
            "status": status,
            "occurred_at": at,
        }
    ).to_json()


def test_the_handoff_is_timed_from_the_capture_once_the_lead_is_on_its_queue() -> None:
    captured = datetime.now(UTC) - timedelta(seconds=20)
    value = orjson.dumps({"queue": "observed", "clocks": {"captured_at": captured}})
    observe([published("x.sales.queue.observed", value)])

    assert 1 == sample("baton_handoff_seconds_count", queue="observed")
    assert 0 == sample("baton_handoff_seconds_bucket", queue="observed", le="10.0")
    assert 1 == sample("baton_handoff_seconds_bucket", queue="observed", le="30.0")


def test_assignments_waits_and_breaches_are_counted_as_they_are_published() -> None:
    changes = [change("offered", "ana"), change("waiting", None), change("expired", "ana"), change("accepted", "ana")]
    observe(published("sales.assignments", value) for value in changes)

    assert 1 == sample("baton_assignments_total", queue="observed", rep="ana")
    assert 1 == sample("baton_assignments_total", queue="observed", rep="")
    assert 1 == sample("baton_sla_breaches_total", queue="observed")


def test_failed_records_and_tombstones_are_no_handoffs() -> None:
    observe([published("routing.failed", b"{"), published("sales.queue.observed", None)])
