from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest


async def test_a_google_lead_is_taken_without_its_key(door: Any, payload: Any, taken: Any, publisher: Any) -> None:
    answer = await door.post("/v1/webhooks/google-ads", content=payload("google-lead"))

    (event,) = taken()
    assert (202, 1) == (answer.status_code, answer.json()["accepted"])
    assert event["event_id"] == "google-ads:1a6d2ff1-20cb-4c0e-8a2f-lead-0001"
    assert event["type"] == "ad_lead_submitted"
    assert event["occurred_at"] == "2026-09-24T08:42:10Z"
    assert event["subject"] == {"email": "zoe.mueller@maschinenbau-nord.de", "phone": "+4940123456"}
    assert event["attributes"]["employees"] == 51
    assert event["attributes"]["job_title"] == "Leiterin Einkauf"
    assert event["campaign"]["click_id"] == "EAIaIQobChMI8pWz1b"
    assert event["properties"]["form_id"] == 40000000001
    assert event["is_test"] is False
    assert b"REPLACE_WITH_KEY" not in publisher.records[0].value


async def test_google_s_test_lead_is_marked(door: Any, payload: Any, taken: Any) -> None:
    answer = await door.post("/v1/webhooks/google-ads", content=payload("google-test-lead"))

    assert answer.status_code == 202
    assert taken()[0]["is_test"] is True
    assert taken()[0]["attributes"]["postcode"] == "94043"


async def test_the_address_at_work_counts_before_the_private_one(door: Any, payload: Any, taken: Any) -> None:
    lead = json.loads(payload("google-lead"))
    lead["user_column_data"].insert(0, {"column_id": "EMAIL", "string_value": "zoe@gmail.com"})
    await door.post("/v1/webhooks/google-ads", json=lead)

    assert taken()[0]["subject"]["email"] == "zoe.mueller@maschinenbau-nord.de"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"google_key": "wrong"}, 401, "bad_signature"),
        ({"google_key": None}, 401, "bad_signature"),
        ({"google_key": ["REPLACE_WITH_KEY"]}, 401, "bad_signature"),
        ({"google_key": "the-next-key"}, 202, None),
        ({"lead_id": ""}, 422, "schema_violation"),
        ({"user_column_data": "x"}, 422, "schema_violation"),
    ],
)
async def test_google_s_key_and_shape_are_checked(
    door: Any, payload: Any, change: dict[str, Any], status: int, code: str | None
) -> None:
    lead = {**json.loads(payload("google-lead")), **change}
    answer = await door.post("/v1/webhooks/google-ads", json=lead)

    assert (status, code) == (answer.status_code, answer.json().get("code"))
    assert "REPLACE_WITH_KEY" not in answer.text


async def test_a_source_whose_secret_is_not_set_is_closed(door: Any, payload: Any) -> None:
    answer = await door.post("/v1/webhooks/google-closed", content=payload("google-lead"))

    assert (401, "source_closed") == (answer.status_code, answer.json()["code"])
    assert "GOOGLE_LEADS_KEY" in answer.json()["detail"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"[" * 10_000])
async def test_a_webhook_s_bad_body_is_a_4xx(door: Any, raw: bytes) -> None:
    answer = await door.post("/v1/webhooks/google-ads", content=raw)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def signed(body: bytes, secret: str = "tf-secret") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"Typeform-Signature": "sha256=" + base64.b64encode(digest).decode()}


async def test_a_typeform_response_is_taken(door: Any, payload: Any, taken: Any) -> None:
    body = payload("typeform-response")
    answer = await door.post("/v1/webhooks/typeform", content=body, headers=signed(body))

    (event,) = taken()
    assert answer.status_code == 202
    assert event["event_id"] == "typeform:a3a12ec67a1365927098a606107fac15"
    assert event["occurred_at"] == "2018-01-18T18:17:02Z"
    assert event["subject"] == {"email": "laura@example.com", "external_id": "abc123456"}
    assert event["attributes"] == {"first_name": "Laura", "city": "London"}
    assert event["campaign"] == {"source": "newsletter"}
    assert event["properties"]["seats"] == 25
    assert event["consent"] == [{"purpose": "phone", "granted": True, "basis": "consent"}]


@pytest.mark.parametrize("headers", [{}, {"Typeform-Signature": "sha256=AAAA"}, {"Typeform-Signature": ""}])
async def test_a_response_with_another_signature_is_refused(
    door: Any, payload: Any, publisher: Any, headers: dict[str, str]
) -> None:
    answer = await door.post("/v1/webhooks/typeform", content=payload("typeform-response"), headers=headers)

    assert (401, "bad_signature") == (answer.status_code, answer.json()["code"])
    assert publisher.records == []


async def test_one_changed_byte_breaks_the_signature(door: Any, payload: Any) -> None:
    body = payload("typeform-response")
    answer = await door.post("/v1/webhooks/typeform", content=body + b" ", headers=signed(body))
    other = await door.post("/v1/webhooks/typeform", content=body, headers=signed(body, "another"))

    assert (401, 401) == (answer.status_code, other.status_code)


@pytest.mark.parametrize("raw", [b"[]", b"{}", b'{"form_response": 1}', b'{"form_response": {}}'])
async def test_a_signed_body_of_another_shape_is_refused(door: Any, raw: bytes) -> None:
    answer = await door.post("/v1/webhooks/typeform", content=raw, headers=signed(raw))

    assert (422, "schema_violation") == (answer.status_code, answer.json()["code"])


async def test_a_get_is_only_for_those_who_send_one(door: Any) -> None:
    assert (await door.get("/v1/webhooks/typeform")).status_code == 405
    assert (await door.get("/v1/webhooks/google-ads")).status_code == 405
    assert (await door.get("/v1/webhooks/website")).status_code == 404
    assert (await door.get("/v1/webhooks/nowhere")).status_code == 404
