from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOW = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)

MS = int(NOW.timestamp() * 1000)


def hex_hmac(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def webflow_headers(body: bytes, at: int = MS) -> dict[str, str]:
    signature = hex_hmac(b"wf-secret", str(at).encode() + b":" + body)
    return {"x-webflow-signature": signature, "x-webflow-timestamp": str(at)}


async def test_a_webflow_form_is_taken(door: Any, payload: Any, taken: Any) -> None:
    body = payload("webflow-form")
    answer = await door.post("/v1/webhooks/webflow", content=body, headers=webflow_headers(body))

    (event,) = taken()
    assert answer.status_code == 202
    assert event["event_id"] == "webflow:6321ca84df3949bfc6752327"
    assert event["subject"] == {"email": "zaphod@heartofgold.example"}
    assert event["attributes"] == {"first_name": "Zaphod", "last_name": "Beeblebrox", "company": "Heart of Gold"}
    assert event["properties"]["form_name"] == "Contact"


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_old_webflow_delivery_is_a_replay(door: Any, payload: Any, seconds: int) -> None:
    body = payload("webflow-form")
    headers = webflow_headers(body, int((NOW + timedelta(seconds=seconds)).timestamp() * 1000))

    assert (await door.post("/v1/webhooks/webflow", content=body, headers=headers)).status_code == 401


async def test_a_tiktok_lead_is_taken_by_the_signature_over_its_escaped_form(
    door: Any, payload: Any, taken: Any
) -> None:
    body = payload("tiktok-lead")
    escaped = body.replace("é".encode(), b"\\u00e9")
    assert escaped != body
    answer = await door.post(
        "/v1/webhooks/tiktok", content=body, headers={"X-Open-Signature": hex_hmac(b"tt-secret", escaped)}
    )

    (event,) = taken()
    assert (202, ["tiktok:7460000000000000001"]) == (answer.status_code, answer.json()["event_ids"])
    assert event["subject"] == {"email": "renee@exemple.fr", "phone": "+33612345678"}
    assert event["attributes"] == {"full_name": "Renée Dupont"}
    assert event["occurred_at"] == "2025-01-16T09:48:39Z"


async def test_a_tiktok_delivery_of_another_product_is_passed_over(door: Any, payload: Any, publisher: Any) -> None:
    body = payload("tiktok-lead").replace(b'"object": 1', b'"object": 2')
    escaped = body.replace("é".encode(), b"\\u00e9")
    answer = await door.post(
        "/v1/webhooks/tiktok", content=body, headers={"X-Open-Signature": hex_hmac(b"tt-secret", escaped)}
    )

    assert (202, 0) == (answer.status_code, answer.json()["accepted"])
    assert publisher.records == []


BASIC = {"authorization": "Basic " + base64.b64encode(b"write-key:").decode()}


async def test_a_segment_batch_is_taken_by_its_write_key(door: Any, payload: Any, taken: Any) -> None:
    answer = await door.post("/v1/webhooks/segment", content=payload("segment-batch"), headers=BASIC)

    page, identify, track, alias = taken()
    assert answer.status_code == 202
    assert ["page_viewed", "identified", "demo_requested", "aliased"] == [
        event["type"] for event in (page, identify, track, alias)
    ]
    assert page["subject"] == {"anonymous_id": "23adfd82-aa0f-45a7-a756-24f2a7a4c895"}
    assert page["campaign"]["name"] == "TPS Innovation Newsletter"
    assert page["properties"]["path"] == "/pricing"
    assert "8.8.8.8" not in json.dumps(page)
    assert identify["subject"]["email"] == "peter@initech.example"
    assert identify["attributes"] == {
        "full_name": "Peter Gibbons",
        "job_title": "Programmer",
        "company": "Initech",
        "employees": 120,
    }
    assert alias["subject"] == {
        "external_id": "97980cfea0067",
        "anonymous_id": "23adfd82-aa0f-45a7-a756-24f2a7a4c895",
    }


async def test_a_segment_signature_covers_one_event_and_never_a_batch(door: Any, payload: Any) -> None:
    batch = payload("segment-batch")
    single = json.dumps(json.loads(batch)["batch"][2]).encode()

    async def status(body: bytes) -> int:
        signature = hmac.new(b"write-key", body, hashlib.sha1).hexdigest()
        answer = await door.post("/v1/webhooks/segment", content=body, headers={"x-signature": signature})
        return int(answer.status_code)

    assert (202, 401) == (await status(single), await status(batch))


async def test_of_a_segment_batch_a_bad_call_is_told_by_index(door: Any, payload: Any) -> None:
    batch = json.loads(payload("segment-batch"))
    batch["batch"][1] = {"type": "track"}
    answer = await door.post("/v1/webhooks/segment", json=batch, headers=BASIC)

    assert (207, 3) == (answer.status_code, answer.json()["accepted"])
    assert [1] == [one["index"] for one in answer.json()["refused"]]


@pytest.mark.parametrize("header", ["Basic d3Jvbmc6", "Basic !", "Bearer wrong"])
async def test_another_write_key_is_refused(door: Any, payload: Any, header: str) -> None:
    answer = await door.post(
        "/v1/webhooks/segment", content=payload("segment-batch"), headers={"authorization": header}
    )

    assert (401, "bad_signature") == (answer.status_code, answer.json()["code"])


async def test_hubspot_s_changes_of_a_contact_are_taken_by_either_signature(
    door: Any, payload: Any, taken: Any
) -> None:
    body = payload("hubspot-webhook")
    uri = b"https://hooks.example.com/v1/webhooks/hubspot"
    v3 = hmac.new(b"hs-secret", b"POST" + uri + body + str(MS).encode(), hashlib.sha256).digest()
    by_v3 = {"X-HubSpot-Signature-v3": base64.b64encode(v3).decode(), "X-HubSpot-Request-Timestamp": str(MS)}
    by_v1 = {"X-HubSpot-Signature": hashlib.sha256(b"hs-secret" + body).hexdigest()}

    for headers in (by_v3, by_v1):
        assert (await door.post("/v1/webhooks/hubspot", content=body, headers=headers)).status_code == 202
    for headers in ({}, {**by_v3, "X-HubSpot-Request-Timestamp": "1"}, {"X-HubSpot-Signature": "00"}):
        assert (await door.post("/v1/webhooks/hubspot", content=body, headers=headers)).status_code == 401
    created, changed = taken()[:2]
    assert (created["type"], changed["type"]) == ("crm_contact_created", "crm_contact_changed")
    assert created["subject"] == {"external_id": "106314056576"}
    assert created["event_id"] != changed["event_id"]
    assert created["occurred_at"] == "2025-01-16T09:48:41Z"


def standard_headers(body: bytes, at: int, key: bytes = b"standard-secret-24-bytes") -> dict[str, str]:
    digest = hmac.new(key, b"msg_1." + str(at).encode() + b"." + body, hashlib.sha256).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": "v1,AAAA v1," + base64.b64encode(digest).decode(),
    }


async def test_a_standard_webhook_is_taken(door: Any, taken: Any) -> None:
    body = json.dumps(
        {"type": "webinar.attended", "timestamp": "2026-09-25T11:00:00Z", "data": {"email": "ana@example.com", "n": 1}}
    ).encode()
    headers = standard_headers(body, MS // 1000)

    answer = await door.post("/v1/webhooks/standard", content=body, headers=headers)

    assert (202, ["standard:msg_1"]) == (answer.status_code, answer.json()["event_ids"])
    assert (taken()[0]["type"], taken()[0]["properties"]) == ("webinar_attended", {"n": 1})


async def test_an_event_of_ours_comes_as_a_standard_webhook_too(door: Any, taken: Any, event: Any) -> None:
    body = json.dumps(event(source="whatever")).encode()

    answer = await door.post("/v1/webhooks/standard", content=body, headers=standard_headers(body, MS // 1000))

    assert answer.status_code == 202
    assert (taken()[0]["event_id"], taken()[0]["source"]) == ("e-1", "standard")


async def test_a_standard_webhook_that_is_old_or_signed_by_another_is_refused(door: Any) -> None:
    body = b'{"type": "x", "data": {"email": "ana@example.com"}}'
    old, other = standard_headers(body, MS // 1000 - 400), standard_headers(body, MS // 1000, b"another")

    for headers in (old, other, {}, {**other, "webhook-timestamp": "soon"}):
        assert (await door.post("/v1/webhooks/standard", content=body, headers=headers)).status_code == 401
