from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.ingest.publisher import NotSafe, Overloaded

LINES = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


def assert_is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """RFC 9457: media type, status, title; ours: the code, and for each error field, problem and mend."""
    body = answer.json()
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert (status, code) == (body["status"], body["code"])
    assert body["title"]
    assert body["type"].endswith(code)
    assert all(error["problem"] and error["mend"] and "field" in error for error in body["errors"])
    assert body["errors"]
    return dict(body)


async def test_one_event_is_taken_and_says_when(door: Any, event: Any, taken: Any, publisher: Any) -> None:
    answer = await door.post("/v1/events", json=event())

    assert (202, {"accepted": 1, "event_ids": ["e-1"]}) == (answer.status_code, answer.json())
    assert taken()[0]["received_at"] == "2026-09-25T12:00:00Z"
    headers = dict(publisher.records[0].headers)
    assert publisher.records[0].topic == "marketing.events"
    assert headers["baton_received_at"] == b"2026-09-25T12:00:00Z"
    assert (headers["ce_id"], headers["ce_specversion"]) == (b"e-1", b"1.0")


@pytest.mark.parametrize("media", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
async def test_an_array_is_taken_in_its_order(door: Any, event: Any, media: str) -> None:
    body = json.dumps([event(event_id=f"e-{number}") for number in range(3)])

    answer = await door.post("/v1/events", content=body, headers={"content-type": media})

    assert (202, ["e-0", "e-1", "e-2"]) == (answer.status_code, answer.json()["event_ids"])


@pytest.mark.parametrize("media", ["application/x-ndjson", "application/jsonl", "text/plain", ""])
async def test_json_lines_are_taken_by_type_and_by_shape(door: Any, event: Any, media: str) -> None:
    body = "\n\n".join(json.dumps(event(event_id=f"e-{number}")) for number in range(3)) + "\r\n"

    answer = await door.post("/v1/events", content=body, headers={"content-type": media})

    assert (202, ["e-0", "e-1", "e-2"]) == (answer.status_code, answer.json()["event_ids"])


async def test_an_event_spread_over_lines_is_one_event(door: Any, event: Any) -> None:
    answer = await door.post("/v1/events", content=json.dumps(event(), indent=1), headers={"content-type": ""})

    assert answer.status_code == 202


async def test_of_a_mixed_batch_the_good_are_taken_and_the_others_told_by_index(
    door: Any, event: Any, taken: Any
) -> None:
    batch = [event(event_id="good-1"), event(source="nowhere"), 7, event(subject={}), event(event_id="good-2")]

    answer = await door.post("/v1/events", json=batch)

    body = answer.json()
    assert (207, ["good-1", "good-2"]) == (answer.status_code, body["event_ids"])
    assert ["good-1", "good-2"] == [one["event_id"] for one in taken()]
    assert [(1, 404, "unknown_source"), (2, 422, "schema_violation"), (3, 422, "no_identifier")] == [
        (one["index"], one["status"], one["code"]) for one in body["refused"]
    ]
    assert all(one["errors"][0]["mend"] for one in body["refused"])


async def test_of_mixed_lines_a_broken_one_is_told_by_index(door: Any, event: Any) -> None:
    lines = [json.dumps(event()), "{broken", json.dumps(event())[:-1] + ', "event_id": "twice"}']

    answer = await door.post("/v1/events", content="\n".join(lines), headers=LINES)

    assert answer.status_code == 207
    assert [(1, "invalid_json"), (2, "invalid_json")] == [
        (one["index"], one["code"]) for one in answer.json()["refused"]
    ]


async def test_a_batch_of_which_nothing_can_be_taken_is_a_problem(door: Any, event: Any, publisher: Any) -> None:
    same = await door.post("/v1/events", json=[event(subject={}), event(subject={})])
    different = await door.post("/v1/events", json=[event(subject={}), 7])

    body = assert_is_problem(same, 422, "no_identifier")
    assert [0, 1] == [one["index"] for one in body["refused"]]
    assert_is_problem(different, 422, "nothing_taken")
    assert publisher.records == []


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"event_id": None}, 422, "schema_violation", "event_id"),
        ({"event_id": 7}, 422, "schema_violation", "event_id"),
        ({"type": ""}, 422, "schema_violation", "type"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, 422, "schema_violation", "occurred_at"),
        ({"occurred_at": "2027-09-25T00:00:00Z"}, 422, "schema_violation", "occurred_at"),
        ({"occurred_at": "2026-09-25T11:00:00"}, 422, "schema_violation", "occurred_at"),
        ({"subject": {"email": 5}}, 422, "schema_violation", "subject.email"),
        ({"attributes": {"employees": "many"}}, 422, "schema_violation", "attributes.employees"),
        ({"properties": []}, 422, "schema_violation", "properties"),
        ({"schema_version": 2}, 422, "unsupported_version", "schema_version"),
        ({"source": "nowhere"}, 404, "unknown_source", "source"),
        ({"subject": {}}, 422, "no_identifier", "subject"),
        ({"subject": {"email": "ana@host"}}, 422, "no_identifier", "subject.email"),
        ({"subject": {"phone": "12"}}, 422, "no_identifier", "subject.phone"),
        ({"source": "shop"}, 401, "unauthorized", "Authorization"),
        ({"source": "google-ads"}, 401, "unauthorized", "Authorization"),
        ({"source": "google-closed"}, 401, "source_closed", "source"),
        ({"properties": {"x": "y" * 300_000}}, 413, "too_large", ""),
    ],
)
async def test_a_bad_event_is_refused_by_field_with_the_mend(
    door: Any, event: Any, publisher: Any, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    body = assert_is_problem(await door.post("/v1/events", json=event(**change)), status, code)

    assert field in [error["field"] for error in body["errors"]]
    assert "ana@host" not in json.dumps(body)
    assert publisher.records == []


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 422, "no_events"),
        (b"[]", 422, "no_events"),
        (b"  \n ", 422, "no_events"),
        (b"{", 400, "invalid_json"),
        (b"{'event_id': 1}", 400, "invalid_json"),
        (b'{"event_id": NaN}', 400, "invalid_json"),
        (b'{"event_id": -Infinity}', 400, "invalid_json"),
        (b'{"a": 1, "a": 2}', 400, "invalid_json"),
        (b'{"event_id": "\xff\xfe"}', 400, "invalid_json"),
        (b"[" * 10_000 + b"]" * 10_000, 400, "invalid_json"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "invalid_json"),
        (b"[" * 500 + b"]" * 500, 422, "schema_violation"),
        (b"null", 422, "schema_violation"),
        (b'"text"', 422, "schema_violation"),
        (b"x" * 2_000_000, 413, "too_large"),
        (b"[" + b"1," * 5_000 + b"1]", 422, "too_many"),
    ],
)
async def test_a_bad_body_is_refused(door: Any, publisher: Any, raw: bytes, status: int, code: str) -> None:
    assert_is_problem(await door.post("/v1/events", content=raw, headers=JSON), status, code)

    assert publisher.records == []


async def test_a_body_without_a_length_is_cut_off_at_the_limit(door: Any) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    assert_is_problem(await door.post("/v1/events", content=endless(), headers=JSON), 413, "too_large")


@pytest.mark.parametrize("media", ["image/png", "application/xml", "multipart/form-data; boundary=x"])
async def test_another_content_type_is_refused(door: Any, event: Any, media: str) -> None:
    answer = await door.post("/v1/events", content=json.dumps(event()), headers={"content-type": media})

    assert_is_problem(answer, 415, "unsupported_media_type")


async def test_a_compressed_body_is_refused(door: Any) -> None:
    answer = await door.post("/v1/events", content=b"\x1f\x8b", headers={**JSON, "content-encoding": "gzip"})

    assert_is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("token", ["old-token", "new-token"])
async def test_each_of_several_tokens_opens_the_source(door: Any, event: Any, token: str) -> None:
    answer = await door.post("/v1/events", json=event(source="shop"), headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 202


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic old-token", "old-token", "Bearer \u00e4"])
async def test_another_token_does_not(door: Any, event: Any, header: str) -> None:
    answer = await door.post(
        "/v1/events", json=event(source="shop"), headers={"authorization": header.encode("latin-1")}
    )

    assert_is_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "old-token" not in answer.text


async def test_a_page_of_another_origin_may_not_send_a_source_s_events(door: Any, event: Any) -> None:
    page_view = event(source="website")
    ours = await door.post("/v1/events", json=page_view, headers={"origin": "https://www.example.com"})
    theirs = await door.post("/v1/events", json=page_view, headers={"origin": "https://evil.example"})

    assert ours.status_code == 202
    assert_is_problem(theirs, 403, "origin_not_allowed")


async def test_a_cloudevent_is_taken(door: Any, payload: Any, taken: Any) -> None:
    answer = await door.post(
        "/v1/events",
        content=payload("cloudevent-structured"),
        headers={"content-type": "application/cloudevents+json"},
    )

    assert answer.status_code == 202
    assert (taken()[0]["type"], taken()[0]["source"]) == ("webinar_attended", "events")
    assert taken()[0]["subject"] == {"email": "amara@example.org"}


async def test_a_broker_that_does_not_take_it_is_a_503_to_be_repeated(door: Any, event: Any, publisher: Any) -> None:
    publisher.fault = NotSafe("no word")
    answer = await door.post("/v1/events", json=event())

    assert_is_problem(answer, 503, "not_safe_yet")
    assert int(answer.headers["retry-after"]) > 0


async def test_too_much_under_way_is_a_429_to_be_repeated(door: Any, event: Any, publisher: Any) -> None:
    publisher.fault = Overloaded("20000 records")
    answer = await door.post("/v1/events", json=event())

    assert_is_problem(answer, 429, "overloaded")
    assert int(answer.headers["retry-after"]) > 0


async def test_other_methods_and_addresses_are_problems_too(door: Any) -> None:
    refused = await door.get("/v1/events")
    nowhere = await door.post("/v2/events")

    assert_is_problem(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["allow"]
    assert_is_problem(nowhere, 404, "not_found")


async def test_health_readiness_and_metrics_are_told(door: Any, event: Any, publisher: Any) -> None:
    await door.post("/v1/events", json=event())
    metrics = (await door.get("/metrics")).text

    assert 'baton_source_last_event_timestamp_seconds{source="events"} 1.7903376e+09' in metrics
    assert (await door.get("/healthz")).status_code == 200
    assert (await door.get("/readyz")).json()["ready"] is True

    publisher.fault = NotSafe("no broker")
    red = await door.get("/readyz")
    assert (503, "no broker") == (red.status_code, red.json()["conditions"]["kafka"]["why"])
