from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

import pytest

from schemas import LeadEvent
from services.ingest.source import Source, Sources
from services.ingest.stage import make_stage

ROOT = UUID("6f9b2f0e-5d0c-5b7a-9a51-0b1d7c5e8a11")
HOUR_MS = 3_600_000


def test_the_stage_reads_marketing_events_and_keeps_no_state() -> None:
    stage = make_stage(Sources((Source("website", "form"),)), "eu.")

    assert (stage.name, stage.source, stage.failed) == ("ingest", "eu.marketing.events", "eu.ingest.failed")
    assert (stage.changelog, stage.codec, stage.store, stage.stamp) == (
        "eu.ingest.state",
        None,
        None,
        "baton_ingested_at",
    )


def test_an_event_goes_out_normalised_and_keyed_by_its_lead(ingest: Any, record: Any, event: Any) -> None:
    (output,) = ingest(record(event(attributes={"country": "Germany"}))).outputs
    lead = LeadEvent.model_validate_json(output.value)

    lead_id = str(uuid5(ROOT, "lead:email:ana@example.com"))
    assert output.topic == "leads.events"
    assert output.key == lead_id.encode()
    assert lead.lead_id == lead_id
    assert lead.event.subject.email == "ana@example.com"
    assert lead.event.attributes.country == "DE"
    assert lead.identity.kind == "email"


def test_clocks_travel_on_and_a_record_of_kafka_gets_its_timestamp(ingest: Any, record: Any, event: Any) -> None:
    by_door = record(event(), heads=(("baton_received_at", b"2026-09-24T08:42:11Z"),))
    result = ingest(by_door, record(event()))

    first, second = (dict(output.headers) for output in result.outputs)
    assert first["baton_received_at"] == b"2026-09-24T08:42:11Z"
    assert second["baton_received_at"] == b"2026-09-24T08:42:10Z"
    assert result.values[1]["received_at"] == "2026-09-24T08:42:10Z"


def test_the_same_record_makes_the_same_bytes(ingest: Any, record: Any, event: Any) -> None:
    first, second = ingest(record(event()), record(event())).outputs

    assert first == second
    assert dict(first.headers)["ce_type"] == b"baton.lead_event.v1"
    assert dict(first.headers)["ce_id"] == str(uuid5(ROOT, "lead_event:e-1")).encode()


def test_a_byte_order_mark_before_an_event_is_passed_over(ingest: Any, record: Any, event: Any) -> None:
    marked = b"\xef\xbb\xbf" + json.dumps(event()).encode()

    assert ingest(record(marked)).outputs == ingest(record(event())).outputs


@pytest.mark.parametrize(
    ("content", "reason", "named"),
    [
        (None, "tombstone", "no value"),
        (b"", "invalid_json", "not JSON"),
        (b"{", "invalid_json", "not JSON"),
        (b'{"event_id": NaN}', "invalid_json", "not JSON"),
        (b"\xff\xfe", "invalid_json", "UTF-8"),
        (b"[" * 10_000 + b"]" * 10_000, "invalid_json", "depth"),
        (b"[]", "schema_violation", "object"),
        (b'"text"', "schema_violation", "object"),
        (b"{}", "schema_violation", "event_id: is missing"),
        (b'{"x": "' + b"a" * 300_000 + b'"}', "too_large", "262144"),
        ({"event_id": 7}, "schema_violation", "event_id"),
        ({"schema_version": 99}, "unsupported_version", "schema_version"),
        ({"schema_version": "two"}, "schema_violation", "schema_version"),
        ({"schema_version": True}, "schema_violation", "schema_version"),
        ({"schema_version": False}, "schema_violation", "schema_version"),
        (
            {"occurred_at": "1970-01-01T00:00:00Z"},
            "schema_violation",
            "lies before the year 2000. Send the time of the",
        ),
        ({"occurred_at": "2027-09-24T08:42:10Z"}, "schema_violation", "occurred_at"),
        ({"occurred_at": "2026-09-24T08:42:10"}, "schema_violation", "zone"),
        ({"occurred_at": "yesterday"}, "schema_violation", "RFC 3339"),
        ({"source": "nowhere"}, "unknown_source", "`aliases`"),
        ({"subject": {}}, "no_identifier", "subject"),
        ({"subject": None}, "no_identifier", "subject"),
        ({"subject": {"email": "ana@example"}}, "no_identifier", "subject.email"),
        ({"subject": {"phone": "12"}}, "no_identifier", "subject.phone"),
        ({"subject": {"anonymous_id": "null"}}, "no_identifier", "placeholders"),
        ({"subject": ["ana@example.com"]}, "schema_violation", "subject"),
        ({"consent": [{"purpose": "x"}]}, "schema_violation", "consent.0.granted"),
    ],
)
def test_a_record_that_cannot_be_used_fails_with_reason_field_and_mend(
    ingest: Any, record: Any, event: Any, content: Any, reason: str, named: str
) -> None:
    bad = record(event(**content) if isinstance(content, dict) else content)

    result = ingest(record(event()), bad, record(event(event_id="e-2")))

    assert [reason] == result.reasons
    assert result.failures[0].message is bad
    assert named in result.failures[0].detail
    assert "ana@" not in result.failures[0].detail
    assert [value["event"]["event_id"] for value in result.values] == ["e-1", "e-2"]


@pytest.mark.parametrize(("hours", "reasons"), [(24, []), (24.1, ["schema_violation"])])
def test_a_clock_may_be_a_day_ahead_of_the_record(
    ingest: Any, record: Any, event: Any, hours: float, reasons: list[str]
) -> None:
    early = record(event())
    early.at -= int(hours * HOUR_MS)

    assert reasons == ingest(early).reasons


def test_a_producer_that_counts_microseconds_disturbs_nobody(ingest: Any, record: Any, event: Any) -> None:
    odd = record(event())
    odd.at *= 1_000_000

    assert ingest(odd).reasons == []


def test_a_bad_address_beside_a_cookie_keeps_the_event(ingest: Any, record: Any, event: Any) -> None:
    result = ingest(record(event(subject={"email": "ana@example", "anonymous_id": "c-1"})))

    assert result.reasons == []
    assert result.values[0]["identity"]["kind"] == "anonymous_id"
    assert result.values[0]["quality"] == ["invalid_email"]


CLOUD = {
    "specversion": "1.0",
    "id": "A1",
    "source": "https://events.example.com/webinars",
    "type": "com.example.webinar.attended",
    "time": "2026-09-24T08:42:10Z",
    "data": {"email": "amara@example.org", "webinar": "Routing", "minutes": 42},
}


def test_a_structured_cloudevent_is_read_by_the_usual_names_of_fields(ingest: Any, record: Any) -> None:
    result = ingest(record(CLOUD, heads=(("content-type", b"application/cloudevents+json; charset=utf-8"),)))

    event = result.values[0]["event"]
    assert event["event_id"] == "https://events.example.com/webinars#A1"
    assert event["type"] == "webinar_attended"
    assert event["source"] == "events"
    assert event["subject"] == {"email": "amara@example.org"}
    assert event["properties"]["webinar"] == "Routing"


def test_a_binary_cloudevent_says_the_same(ingest: Any, record: Any) -> None:
    heads = [(f"ce_{name}", str(value).encode()) for name, value in CLOUD.items() if name != "data"]
    binary = record(CLOUD["data"], heads=(*heads, ("content-type", b"application/json")))

    assert ingest(record(CLOUD)).values == ingest(binary).values


def test_an_event_of_ours_in_a_cloudevent_is_itself(ingest: Any, record: Any, event: Any) -> None:
    wrapped = {**CLOUD, "type": "baton.marketing_event.v1", "data": event()}

    assert ingest(record(event())).values == ingest(record(wrapped)).values


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"specversion": "0.3"}, "unsupported_version"),
        ({"id": ""}, "schema_violation"),
        ({"data": "text"}, "schema_violation"),
        ({"time": None}, "schema_violation"),
        ({"source": "https://elsewhere.example"}, "unknown_source"),
    ],
)
def test_a_cloudevent_that_says_too_little_fails(ingest: Any, record: Any, change: Any, reason: str) -> None:
    assert ingest(record({**CLOUD, **change})).reasons == [reason]


def test_unknown_fields_are_passed_on(ingest: Any, record: Any, event: Any) -> None:
    result = ingest(record(event(tracker={"version": 7})))

    assert result.values[0]["event"]["tracker"] == {"version": 7}
    assert json.loads(result.outputs[0].value)["event"]["tracker"] == {"version": 7}
