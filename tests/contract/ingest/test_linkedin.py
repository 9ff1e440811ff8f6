"""LinkedIn's webhook, and a Lead Sync API that a fake server plays."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.ingest.collector.app import make_collector
from services.ingest.platforms.linkedin_api import LeadSyncReader
from services.ingest.source import Source, Sources

LINKEDIN = Source(
    "linkedin",
    "linkedin",
    secrets=("client-secret", "the-next-secret"),
    access_token="li-token",
    linkedin_url="http://api.linkedin.test/rest",
    linkedin_version="202610",
)
LEAD = "c3a4d5e6-1234-4f0e-9a1b-000000000001-4"


class LeadSync:
    """Answers as the API does; `faults` come first, one a request; `lead` and `form` may be changed."""

    def __init__(self, payload: Callable[[str], bytes]) -> None:
        self.lead = json.loads(payload("linkedin-form-response"))
        self.form = json.loads(payload("linkedin-form"))
        self.faults: list[int] = []
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.faults:
            return httpx.Response(self.faults.pop(0), json={"message": "said by LinkedIn"})
        known = {f"/rest/leadFormResponses/{LEAD}": self.lead, "/rest/leadForms/7654321": self.form}
        found = known.get(request.url.path)
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)


@pytest.fixture
def api(payload: Callable[[str], bytes]) -> LeadSync:
    return LeadSync(payload)


@pytest.fixture
def linkedin_door(publisher: Any, api: LeadSync) -> Callable[..., httpx.AsyncClient]:
    def make(source: Source = LINKEDIN) -> httpx.AsyncClient:
        reader = LeadSyncReader(httpx.AsyncClient(transport=httpx.MockTransport(api)), deadline=0.3, longest_wait=0.02)
        app = make_collector(Sources((source,)), publisher, prefix="p.", fetchers={"linkedin": reader})
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test")

    return make


def signed(body: bytes, secret: bytes = b"client-secret") -> dict[str, str]:
    return {"X-LI-Signature": hmac.new(secret, b"hmacsha256=" + body, hashlib.sha256).hexdigest()}


async def deliver(door: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await door.post("/v1/webhooks/linkedin", content=body, headers=signed(body))


async def test_the_lead_behind_a_notice_is_read_with_the_questions_of_its_form(
    linkedin_door: Any, api: LeadSync, payload: Any, taken: Any
) -> None:
    answer = await deliver(linkedin_door(), payload("linkedin-notification"))

    (event,) = taken()
    assert (202, [f"linkedin:{LEAD}"]) == (answer.status_code, answer.json()["event_ids"])
    assert event["type"] == "ad_lead_submitted"
    assert event["occurred_at"] == "2025-01-16T09:48:40Z"
    assert event["subject"] == {"email": "maria.gomez@logistica.example"}
    assert event["attributes"] == {"first_name": "María"}
    assert event["properties"]["form_name"] == "Autumn guide"
    assert event["campaign"] == {
        "source": "linkedin",
        "medium": "paid_social",
        "name": "autumn-guide",
        "content": "urn:li:sponsoredCreative:301962274",
    }
    assert [(word["purpose"], word["granted"]) for word in event["consent"]] == [("linkedin_5", True)]
    assert event["is_test"] is False
    assert [request.url.path for request in api.asked] == [
        f"/rest/leadFormResponses/{LEAD}",
        "/rest/leadForms/7654321",
    ]
    for request in api.asked:
        assert request.headers["authorization"] == "Bearer li-token"
        assert request.headers["linkedin-version"] == "202610"
        assert request.headers["x-restli-protocol-version"] == "2.0.0"


async def test_choices_come_with_their_words_and_a_question_that_is_not_known_under_its_number(
    linkedin_door: Any, api: LeadSync, payload: Any, taken: Any
) -> None:
    api.lead["testLead"] = True
    api.lead["formResponse"]["answers"] += [
        {"questionId": 3, "answerDetails": {"multipleChoiceAnswer": {"options": [12, 99]}}},
        {"questionId": 4, "answerDetails": {"textQuestionAnswer": {"answer": "soon"}}},
    ]
    await deliver(linkedin_door(), payload("linkedin-notification"))

    (event,) = taken()
    assert (event["properties"]["q3"], event["properties"]["question_4"]) == (["Scoring", 99], "soon")
    assert event["is_test"] is True


async def test_the_address_at_work_counts_before_the_private_one(
    linkedin_door: Any, api: LeadSync, payload: Any, taken: Any
) -> None:
    api.form["content"]["questions"][0]["predefinedField"] = "EMAIL"
    api.lead["formResponse"]["answers"][0]["answerDetails"]["textQuestionAnswer"]["answer"] = "maria@gmail.com"
    await deliver(linkedin_door(), payload("linkedin-notification"))

    assert taken()[0]["subject"]["email"] == "maria.gomez@logistica.example"


async def test_a_form_is_read_once_a_version(linkedin_door: Any, api: LeadSync, payload: Any) -> None:
    door = linkedin_door()
    for version in (1, 1, 2):
        api.lead["versionedLeadGenFormUrn"] = f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:7654321,{version})"
        assert (await deliver(door, payload("linkedin-notification"))).status_code == 202

    assert Counter(request.url.path.split("/")[2] for request in api.asked) == {"leadFormResponses": 3, "leadForms": 2}


async def test_an_api_that_stumbles_is_asked_again(linkedin_door: Any, api: LeadSync, payload: Any) -> None:
    api.faults = [500, 503]

    assert (await deliver(linkedin_door(), payload("linkedin-notification"))).status_code == 202


@pytest.mark.parametrize("status", [301, 400, 401, 403, 426, 429])
async def test_what_cannot_be_read_now_is_to_be_delivered_again(
    linkedin_door: Any, api: LeadSync, payload: Any, publisher: Any, status: int
) -> None:
    api.faults = [status]
    answer = await deliver(linkedin_door(), payload("linkedin-notification"))

    assert (503, "platform_unreachable") == (answer.status_code, answer.json()["code"])
    assert int(answer.headers["retry-after"]) > 0
    assert "li-token" not in answer.text
    assert ("set linkedin_version" in answer.text) is (status == 426)
    assert publisher.records == []


@pytest.mark.parametrize("gone", ["lead", "form"])
async def test_a_lead_that_will_never_come_is_kept_as_failed(
    linkedin_door: Any, api: LeadSync, payload: Any, publisher: Any, gone: str
) -> None:
    if gone == "lead":
        api.faults = [404]
    else:
        api.lead["versionedLeadGenFormUrn"] = "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:404,1)"
    answer = await deliver(linkedin_door(), payload("linkedin-notification"))

    (record,) = publisher.records
    assert (202, 0) == (answer.status_code, answer.json()["accepted"])
    assert record.topic == "p.ingest.failed"
    assert json.loads(record.value) == json.loads(payload("linkedin-notification"))
    assert dict(record.headers)["baton_reason"] == b"lead_not_found"


async def test_a_lead_that_was_taken_back_makes_no_lead_and_is_kept_for_somebody_to_act_on(
    linkedin_door: Any, api: LeadSync, payload: Any, publisher: Any
) -> None:
    body = payload("linkedin-notification").replace(b"CREATED", b"DELETED")
    answer = await deliver(linkedin_door(), body)

    (record,) = publisher.records
    assert (202, 0) == (answer.status_code, answer.json()["accepted"])
    assert (record.topic, record.key) == ("p.ingest.failed", LEAD.encode())
    assert dict(record.headers)["baton_reason"] == b"lead_deleted"
    assert f"linkedin:{LEAD}".encode() in dict(record.headers)["baton_detail"]
    assert api.asked == []


@pytest.mark.parametrize(
    "headers", [{}, {"X-LI-Signature": "00"}, {"X-LI-Signature": "hmacsha256=00"}, {"X-Hub-Signature-256": "00"}]
)
async def test_a_wrong_signature_is_refused_before_anything_is_read(
    linkedin_door: Any, api: LeadSync, payload: Any, headers: dict[str, str]
) -> None:
    answer = await linkedin_door().post(
        "/v1/webhooks/linkedin", content=payload("linkedin-notification"), headers=headers
    )

    assert (401, "bad_signature") == (answer.status_code, answer.json()["code"])
    assert api.asked == []


async def test_the_signature_covers_the_prefix_and_may_be_of_either_secret(linkedin_door: Any, payload: Any) -> None:
    body, door = payload("linkedin-notification"), linkedin_door()
    without = {"X-LI-Signature": hmac.new(b"client-secret", body, hashlib.sha256).hexdigest()}

    assert (await door.post("/v1/webhooks/linkedin", content=body, headers=without)).status_code == 401
    next_one = signed(body, b"the-next-secret")
    assert (await door.post("/v1/webhooks/linkedin", content=body, headers=next_one)).status_code == 202


async def test_a_source_may_say_that_its_notices_are_not_signed(linkedin_door: Any, payload: Any) -> None:
    body, door = payload("linkedin-notification"), linkedin_door(replace(LINKEDIN, unsigned=True))

    assert (await door.post("/v1/webhooks/linkedin", content=body)).status_code == 202
    wrong = {"X-LI-Signature": "00"}
    assert (await door.post("/v1/webhooks/linkedin", content=body, headers=wrong)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"}, 202),
        ({"type": None}, 422),
        ({"leadAction": "RENAMED"}, 422),
        ({"leadGenFormResponse": None}, 422),
        ({"leadGenFormResponse": "urn:li:leadGenFormResponse:../me?x"}, 422),
    ],
)
async def test_other_news_is_passed_over_and_a_bad_notice_refused(
    linkedin_door: Any, api: LeadSync, payload: Any, change: dict[str, Any], status: int
) -> None:
    body = json.dumps({**json.loads(payload("linkedin-notification")), **change}).encode()

    assert status == (await deliver(linkedin_door(), body)).status_code
    assert api.asked == []


async def test_the_challenge_is_signed(linkedin_door: Any) -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = await linkedin_door().get("/v1/webhooks/linkedin", params={"challengeCode": code, "applicationId": "1"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "challengeCode": code,
        "challengeResponse": hmac.new(b"client-secret", code.encode(), hashlib.sha256).hexdigest(),
    }
    for params in ({}, {"challengeCode": ""}, {"challengeCode": "x" * 300}):
        assert (await linkedin_door().get("/v1/webhooks/linkedin", params=params)).status_code == 400
