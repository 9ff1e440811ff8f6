from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.ingest.collector.app import make_collector
from services.ingest.source import Source, Sources

PAGE = {"origin": "https://www.example.com"}
FIELDS = {"E-Mail": "ana@example.com", "First Name": "Ana", "Company Size": "51-200", "utm_source": "google", "x": "y"}
CUT = b'--bb\r\nContent-Disposition: form-data; name="email"\r\n\r\nana@example.com\r\n--bb--\r\n'


def assert_is_ana(event: dict[str, Any]) -> None:
    assert event["subject"] == {"email": "ana@example.com"}
    assert event["attributes"] == {"first_name": "Ana", "employees": 51, "employees_as_given": "51-200"}
    assert event["campaign"]["source"] == "google"
    assert event["properties"]["x"] == "y"


async def test_a_form_is_taken_however_it_is_encoded(door: Any, taken: Any) -> None:
    encoded = await door.post("/v1/forms/website", data=FIELDS)
    multipart = await door.post("/v1/forms/website", files={name: (None, value) for name, value in FIELDS.items()})
    as_json = await door.post("/v1/forms/website", json=FIELDS)
    untold = await door.post("/v1/forms/website", content='{"E-Mail": "b@example.com"}')

    assert [202] * 4 == [answer.status_code for answer in (encoded, multipart, as_json, untold)]
    for event in taken()[:3]:
        assert_is_ana(event)
        assert (event["type"], event["source"]) == ("form_submitted", "website")
        assert event["occurred_at"] == "2026-09-25T12:00:00Z"


async def test_who_clicks_twice_has_sent_one_form(door: Any) -> None:
    first = await door.post("/v1/forms/website", data=FIELDS)
    again = await door.post("/v1/forms/website", data=FIELDS)
    other = await door.post("/v1/forms/website", data={**FIELDS, "x": "z"})

    assert first.json() == again.json()
    assert first.json() != other.json()


async def test_a_form_may_name_its_id_and_its_type(door: Any, taken: Any) -> None:
    await door.post("/v1/forms/anywhere", data={"email": "a@example.com", "event_id": "f-1"})
    await door.post("/v1/forms/website", data={"email": "a@example.com", "event_type": "demo_requested"})

    assert (taken()[0]["event_id"], taken()[0]["type"]) == ("f-1", "demo_requested")
    assert taken()[1]["type"] == "demo_requested"


@pytest.mark.parametrize("boundary", ["bb", '"bb"'])
async def test_a_multipart_form_is_whole_with_its_closing_boundary(door: Any, taken: Any, boundary: str) -> None:
    for body in (CUT, CUT.removesuffix(b"\r\n"), CUT + b"epilogue"):
        media = {"content-type": f"multipart/form-data; boundary={boundary}"}
        answer = await door.post("/v1/forms/website", content=body, headers=media)
        assert answer.status_code == 202, answer.text

    assert {one["subject"]["email"] for one in taken()} == {"ana@example.com"}


async def test_of_a_file_the_name_is_kept(door: Any, taken: Any) -> None:
    answer = await door.post(
        "/v1/forms/website", files={"email": (None, "ana@example.com"), "brief": ("brief.pdf", b"%PDF" * 100)}
    )

    assert answer.status_code == 202
    assert taken()[0]["properties"]["brief"] == "brief.pdf"


async def test_the_page_and_its_campaign_come_from_the_browser(door: Any, taken: Any) -> None:
    page = "https://www.example.com/demo"
    await door.post("/v1/forms/website", data={"email": "a@example.com"}, headers={"referer": page, "user-agent": "M"})

    assert (taken()[0]["properties"]["url"], taken()[0]["properties"]["user_agent"]) == (page, "M")


async def test_the_shape_of_hubspot_s_forms_is_taken(door: Any, taken: Any, payload: Any) -> None:
    answer = await door.post(
        "/v1/forms/website", content=payload("hubspot-form"), headers={"content-type": "application/json"}
    )

    (event,) = taken()
    assert answer.status_code == 202
    assert event["subject"] == {"email": "kim@stahlwerk.example", "anonymous_id": "60c2ccdfe4892f0fa0593940b12c11aa"}
    assert event["attributes"] == {"first_name": "Kim", "company": "Stahlwerk AG"}
    assert event["campaign"] == {"source": "google", "medium": "cpc", "name": "q1"}
    assert event["occurred_at"] == "2025-01-16T09:48:41Z"
    assert {word["purpose"]: word["granted"] for word in event["consent"]} == {
        "processing": True,
        "marketing_email": True,
    }


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        ({"data": {"email": "ana-at-host"}}, 422, "no_identifier"),
        ({"data": {"message": "hello"}}, 422, "no_identifier"),
        ({"data": {"email": ""}}, 422, "no_identifier"),
        ({"content": b"", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 422, "no_events"),
        (
            {"content": b"email=%ff%fe", "headers": {"content-type": "application/x-www-form-urlencoded"}},
            400,
            "invalid_form",
        ),
        (
            {"content": b"email=a%00@b.com", "headers": {"content-type": "application/x-www-form-urlencoded"}},
            400,
            "invalid_form",
        ),
        ({"content": b"&".join(b"f%d=1" % n for n in range(1_001))}, 400, "invalid_form"),
        ({"content": b"[1]", "headers": {"content-type": "application/json"}}, 422, "schema_violation"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "invalid_json"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "invalid_form"),
        ({"content": b"garbage", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400, "invalid_form"),
        *(
            (
                {"content": CUT[:length], "headers": {"content-type": "multipart/form-data; boundary=bb"}},
                400,
                "invalid_form",
            )
            for length in (len(CUT) - 3, len(CUT) - 8, len(CUT) - 16, 20, 0)
        ),
        ({"content": b"<x/>", "headers": {"content-type": "text/xml"}}, 415, "unsupported_media_type"),
        ({"content": b"email=" + b"a" * 2_000_000}, 413, "too_large"),
        (
            {"data": {"email": "a@example.com"}, "headers": {"origin": "https://evil.example"}},
            403,
            "origin_not_allowed",
        ),
    ],
)
async def test_a_bad_form_is_refused(
    door: Any, publisher: Any, request_of: dict[str, Any], status: int, code: str
) -> None:
    answer = await door.post("/v1/forms/website", **request_of)

    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert answer.json()["errors"][0]["mend"]
    assert "ana-at-host" not in answer.text
    assert publisher.records == []


@pytest.mark.parametrize("source", ["nowhere", "events", "google-ads"])
async def test_only_a_form_takes_forms(door: Any, source: str) -> None:
    answer = await door.post(f"/v1/forms/{source}", data={"email": "a@example.com"})

    assert (404, "unknown_source") == (answer.status_code, answer.json()["code"])


async def test_a_browser_is_told_which_pages_may_send(door: Any) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    allowed = await door.options("/v1/forms/website", headers={**PAGE, **asked})
    refused = await door.options("/v1/forms/website", headers={"origin": "https://evil.example", **asked})
    anywhere = await door.options("/v1/forms/anywhere", headers={"origin": "https://evil.example", **asked})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "https://www.example.com"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "content-type" in allowed.headers["access-control-allow-headers"].lower()
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert anywhere.headers["access-control-allow-origin"] == "https://evil.example"


async def test_an_allowed_page_may_read_the_answer_and_its_problems(door: Any) -> None:
    good = await door.post("/v1/forms/website", data={"email": "a@example.com"}, headers=PAGE)
    bad = await door.post("/v1/forms/website", data={"email": "a"}, headers=PAGE)

    for answer in (good, bad):
        assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
        assert answer.headers["vary"] == "Origin"


async def test_the_same_answers_hours_later_are_another_submission(publisher: Any) -> None:
    now = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)
    app = make_collector(Sources((Source("website", "form"),)), publisher, clock=lambda: now)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test") as door:
        ids = []
        for minutes in (0, 5, 180):
            now = datetime(2026, 9, 25, 12, 0, tzinfo=UTC) + timedelta(minutes=minutes)
            ids += (await door.post("/v1/forms/website", data=FIELDS)).json()["event_ids"]

    first, minutes_later, hours_later = ids
    assert first == minutes_later
    assert first != hours_later
