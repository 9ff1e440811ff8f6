import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from schemas import ScoredLead
from schemas.headers import header_map
from schemas.ids import derived_id
from services.scoring.stage import make_stage
from streaming.memory import MemoryRecord, MemoryRunner
from streaming.stage import RawHeaders
from tests.unit.scoring.scoring_world import RULESET, START, value


@pytest.fixture
def runner() -> MemoryRunner:
    return MemoryRunner([make_stage(RULESET, "t-")], partitions=2, now=START.timestamp() + 60)


def send(
    runner: MemoryRunner, raw: bytes | None, key: bytes | None = b"lead-1", headers: RawHeaders = ()
) -> MemoryRecord:
    return runner.send("t-leads.events", key, raw, headers)


def outcomes(runner: MemoryRunner) -> Mapping[str, int]:
    return runner.outcomes["scoring"]


def test_an_event_of_a_lead_becomes_its_score(runner: MemoryRunner) -> None:
    send(runner, value("e1", "form_submitted", subject={"email": "ana@acme.example"}))
    runner.run()

    [record] = runner.records("t-leads.scored")
    lead = ScoredLead.model_validate_json(record.value() or b"")

    assert record.key() == b"lead-1"
    assert ("lead-1", "e1", 0.0, 10.0, "D4", "inquiry") == (
        lead.lead_id, lead.event_id, lead.fit, lead.engagement, lead.grade, lead.stage,
    )  # fmt: skip
    assert START == lead.as_of


def test_the_record_is_a_cloudevent_whose_id_follows_from_the_event_and_that_carries_the_clocks(
    runner: MemoryRunner,
) -> None:
    clocks = [("baton_received_at", b"2026-09-07T12:00:01Z"), ("baton_ingested_at", b"2026-09-07T12:00:02Z")]
    send(runner, value("e1"), headers=[*clocks, ("other", b"x")])
    runner.run()

    headers = header_map(runner.records("t-leads.scored")[0].headers())

    assert derived_id("scored", "lead-1", "e1") == headers["ce_id"]
    assert "baton.scored_lead.v1" == headers["ce_type"]
    assert "2026-09-07T12:00:01Z" == headers["baton_received_at"]
    assert "2026-09-07T12:00:02Z" == headers["baton_ingested_at"]
    assert "baton_scored_at" in headers
    assert "other" not in headers


def test_a_second_record_with_a_known_event_id_changes_nothing_downstream(runner: MemoryRunner) -> None:
    send(runner, value("e1"))
    runner.run()
    before = dict(runner.state("scoring"))
    send(runner, value("e1"))
    send(runner, value("e1", at=START + timedelta(hours=1)))
    runner.run()

    assert 1 == len(runner.records("t-leads.scored"))
    assert before == runner.state("scoring")
    assert 2 == outcomes(runner)["duplicate"]


def deep(record: bytes) -> bytes:
    return record.replace(b'"source"', b'"properties": {"x": ' + b"[" * 10_000 + b"]" * 10_000 + b'}, "source"')


def without(name: str) -> bytes:
    record = json.loads(value())
    del record[name]
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("raw", "key", "reason", "detail"),
    [
        (b"", b"lead-1", "invalid_json", "valid JSON"),
        (b"{", b"lead-1", "invalid_json", "valid JSON"),
        (value().replace(b"website", b"\xff"), b"lead-1", "invalid_json", "UTF-8"),
        (value(properties={"value": float("nan")}), b"lead-1", "invalid_json", "JSON"),
        (deep(value()), b"lead-1", "invalid_json", "deeper"),
        (b"[1]", b"lead-1", "schema_violation", "object"),
        (without("lead_id"), b"lead-1", "schema_violation", "lead_id"),
        (without("event"), b"lead-1", "schema_violation", "event"),
        (value(subject={"email": 7}), b"lead-1", "schema_violation", "event.subject.email"),
        (value(at="1970-01-01T00:00:00Z"), b"lead-1", "schema_violation", "event.occurred_at"),
        (value(at=START + timedelta(days=400)), b"lead-1", "schema_violation", "event.occurred_at"),
        (value(schema_version=9), b"lead-1", "unsupported_version", "event.schema_version"),
        (None, b"lead-1", "tombstone", "no value"),
        (value(), None, "no_key", "lead_id"),
        (value(), b"", "no_key", "lead_id"),
        (value(), b"lead-2", "key_mismatch", "lead_id"),
    ],
)
def test_what_cannot_be_read_is_set_aside_untouched_and_its_neighbours_go_on(
    runner: MemoryRunner, raw: bytes | None, key: bytes | None, reason: str, detail: str
) -> None:
    send(runner, value("before", lead="lead-7"), b"lead-7")
    send(runner, raw, key)
    send(runner, value("after", lead="lead-7"), b"lead-7")
    runner.run()

    [failed] = runner.records("t-scoring.failed")
    headers = header_map(failed.headers())

    assert (raw, key) == (failed.value(), failed.key())
    assert reason == headers["baton_reason"]
    assert detail in headers["baton_detail"]
    assert 2 == len(runner.records("t-leads.scored"))


def test_a_record_marked_as_a_test_is_scored_and_says_so(runner: MemoryRunner) -> None:
    send(runner, value("e1", "demo_requested", quality=["test"], is_test=True))
    runner.run()

    lead = ScoredLead.model_validate_json(runner.records("t-leads.scored")[0].value() or b"")

    assert (["test"], "mql") == (lead.quality, lead.stage)


def test_the_state_is_read_back_from_the_changelog(runner: MemoryRunner) -> None:
    send(runner, value("e1", "webinar_attended"))
    runner.run()
    again = MemoryRunner([make_stage(RULESET, "t-")], now=START.timestamp() + 60, log=runner.log)
    send(again, value("e2", "form_submitted"))
    send(again, value("e1", "webinar_attended"))
    again.run()

    last = ScoredLead.model_validate_json(again.records("t-leads.scored")[-1].value() or b"")

    assert (30.0, 2) == (last.engagement, len(again.records("t-leads.scored")))
