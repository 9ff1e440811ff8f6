from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.ingest.collector.app import make_collector
from services.ingest.platforms.meta_graph import GraphReader
from services.ingest.publisher import MemoryPublisher
from services.ingest.source import Source, Sources

Answerer = Callable[[httpx.Request], httpx.Response]

META = Source("meta", "meta", secrets=("app-secret",), verify_token="verify-me", access_token="graph-token")


def signed(body: bytes, over: bytes | None = None) -> dict[str, str]:
    digest = hmac.new(b"app-secret", body if over is None else over, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


@pytest.fixture
def meta_door(publisher: MemoryPublisher) -> Callable[[Answerer], httpx.AsyncClient]:
    def make(answerer: Answerer) -> httpx.AsyncClient:
        graph = httpx.AsyncClient(transport=httpx.MockTransport(answerer))
        reader = GraphReader(graph, deadline=0.3, longest_wait=0.02)
        app = make_collector(Sources((META,)), publisher, prefix="p.", fetchers={"meta": reader})
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test")

    return make


def error(status: int, code: int, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "said by Graph", "code": code, **more}})


async def test_the_lead_behind_a_notice_is_fetched_and_taken(meta_door: Any, payload: Any, taken: Any) -> None:
    asked: list[httpx.Request] = []

    def graph(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=payload("meta-graph-lead"))

    body = payload("meta-leadgen")
    answer = await meta_door(graph).post("/v1/webhooks/meta", content=body, headers=signed(body))

    (event,) = taken()
    assert (202, ["meta:233370042045345"]) == (answer.status_code, answer.json()["event_ids"])
    assert event["type"] == "ad_lead_submitted"
    assert event["occurred_at"] == "2015-11-12T15:27:06Z"
    assert event["subject"] == {"email": "joe@example.com", "phone": "+16505550199"}
    assert event["attributes"] == {"full_name": "Joe Example"}
    assert event["properties"]["car_make"] == "Honda"
    assert event["properties"]["page_id"] == "138124712925158"
    assert event["campaign"] == {
        "source": "meta",
        "medium": "paid_social",
        "name": "32323232",
        "content": "12312312312",
    }
    assert asked[0].url.path == "/233370042045345"
    assert asked[0].headers["authorization"] == "Bearer graph-token"
    assert "graph-token" not in str(asked[0].url)
    proof = hmac.new(b"app-secret", b"graph-token", hashlib.sha256).hexdigest()
    assert asked[0].url.params["appsecret_proof"] == proof


async def test_ids_may_be_numbers_and_a_delivery_may_hold_several_leads(
    meta_door: Any, payload: Any, taken: Any
) -> None:
    lead = json.loads(payload("meta-graph-lead"))
    body = payload("meta-leadgen-numbers")
    door = meta_door(lambda request: httpx.Response(200, json=lead))

    answer = await door.post("/v1/webhooks/meta", content=body, headers=signed(body))

    assert answer.json()["event_ids"] == ["meta:123123123123", "meta:123123123124"]
    assert len(taken()) == 2


async def test_a_graph_that_stumbles_is_asked_again(meta_door: Any, payload: Any) -> None:
    answers = iter(
        [error(500, 2), error(400, 4, is_transient=True), httpx.Response(200, content=payload("meta-graph-lead"))]
    )
    body = payload("meta-leadgen")

    answer = await meta_door(lambda request: next(answers)).post(
        "/v1/webhooks/meta", content=body, headers=signed(body)
    )

    assert answer.status_code == 202


def refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    "graph",
    [
        refuse_connection,
        lambda request: error(503, 1),
        lambda request: error(400, 190),
        lambda request: error(403, 200),
        lambda request: error(429, 613),
        lambda request: httpx.Response(200, content=b"<html>"),
        lambda request: httpx.Response(302, headers={"location": "https://elsewhere.example"}),
    ],
)
async def test_what_cannot_be_fetched_now_is_to_be_delivered_again(
    meta_door: Any, payload: Any, publisher: Any, graph: Answerer
) -> None:
    body = payload("meta-leadgen")
    answer = await meta_door(graph).post("/v1/webhooks/meta", content=body, headers=signed(body))

    assert (503, "platform_unreachable") == (answer.status_code, answer.json()["code"])
    assert int(answer.headers["retry-after"]) > 0
    assert "graph-token" not in answer.text
    assert publisher.records == []


async def test_of_two_leads_the_reachable_one_is_safe_before_the_repeat(
    meta_door: Any, payload: Any, taken: Any
) -> None:
    body = payload("meta-leadgen-numbers")

    def graph(request: httpx.Request) -> httpx.Response:
        found = request.url.path == "/123123123123"
        return httpx.Response(200, content=payload("meta-graph-lead")) if found else error(500, 1)

    answer = await meta_door(graph).post("/v1/webhooks/meta", content=body, headers=signed(body))

    assert answer.status_code == 503
    assert [one["event_id"] for one in taken()] == ["meta:123123123123"]


async def test_a_lead_that_will_never_come_is_kept_as_failed(meta_door: Any, payload: Any, publisher: Any) -> None:
    body = payload("meta-leadgen")
    answer = await meta_door(lambda request: error(400, 100)).post(
        "/v1/webhooks/meta", content=body, headers=signed(body)
    )

    (record,) = publisher.records
    assert (202, 0) == (answer.status_code, answer.json()["accepted"])
    assert record.topic == "p.ingest.failed"
    assert json.loads(record.value)["leadgen_id"] == "233370042045345"
    assert dict(record.headers)["baton_reason"] == b"lead_not_found"


async def test_a_lead_of_the_testing_tool_is_marked(meta_door: Any, payload: Any, taken: Any) -> None:
    lead = json.loads(payload("meta-graph-lead"))
    lead["field_data"][0]["values"] = ["<test lead: dummy data for full_name>"]
    body = payload("meta-leadgen")

    await meta_door(lambda request: httpx.Response(200, json=lead)).post(
        "/v1/webhooks/meta", content=body, headers=signed(body)
    )

    assert taken()[0]["is_test"] is True


async def test_the_signature_is_over_the_bytes_or_over_their_escaped_form(meta_door: Any, payload: Any) -> None:
    raw = payload("meta-leadgen").replace(b'"page"', '"page", "name": "Z\u00fcrich \U0001f600"'.encode())
    escaped = payload("meta-leadgen").replace(b'"page"', b'"page", "name": "Z\\u00fcrich \\ud83d\\ude00"')
    door = meta_door(lambda request: httpx.Response(200, content=payload("meta-graph-lead")))

    for headers in (signed(raw), signed(raw, over=escaped)):
        assert (await door.post("/v1/webhooks/meta", content=raw, headers=headers)).status_code == 202


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Signature-256": "sha256=00"}, {"X-Hub-Signature": "sha1=00"}])
async def test_a_wrong_signature_is_refused_before_anything_is_fetched(
    meta_door: Any, payload: Any, headers: dict[str, str]
) -> None:
    answer = await meta_door(refuse_connection).post(
        "/v1/webhooks/meta", content=payload("meta-leadgen"), headers=headers
    )

    assert (401, "bad_signature") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"field": "feed"}, 202),
        ({"value": {}}, 422),
        ({"value": None}, 422),
        ({"value": {"leadgen_id": "../me?x"}}, 422),
    ],
)
async def test_other_news_is_passed_over_and_a_bad_id_refused(meta_door: Any, change: Any, status: int) -> None:
    body = json.dumps({"object": "page", "entry": [{"changes": [{"field": "leadgen", **change}]}]}).encode()
    answer = await meta_door(refuse_connection).post("/v1/webhooks/meta", content=body, headers=signed(body))

    assert status == answer.status_code


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ({"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verify-me"}, 200, "1158201444"),
        ({"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"}, 403, None),
        ({"hub.mode": "subscribe", "hub.verify_token": "verify-me"}, 400, None),
        ({}, 400, None),
    ],
)
async def test_the_challenge_is_echoed_to_who_knows_the_token(
    meta_door: Any, query: dict[str, str], status: int, text: str | None
) -> None:
    answer = await meta_door(refuse_connection).get("/v1/webhooks/meta", params=query)

    assert status == answer.status_code
    if text is not None:
        assert (text, "text/plain; charset=utf-8") == (answer.text, answer.headers["content-type"])


@pytest.fixture
async def graph_url(payload: Any) -> AsyncIterator[str]:
    """A Graph API on a real socket: it stumbles once, then gives the lead to who holds the token."""
    calls = 0

    async def lead(request: Request) -> Response:
        nonlocal calls
        calls += 1
        if calls == 1:
            return JSONResponse({"error": {"code": 2, "is_transient": True}}, 500)
        if request.headers.get("authorization") != "Bearer graph-token":
            return JSONResponse({"error": {"code": 190}}, 400)
        return Response(payload("meta-graph-lead"), media_type="application/json")

    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/v1/{lead}", lead)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    server.should_exit = True
    await serving


async def test_a_lead_is_read_over_a_real_socket(
    graph_url: str, publisher: MemoryPublisher, payload: Any, taken: Any
) -> None:
    source = Source(
        "meta", "meta", secrets=("app-secret",), verify_token="v", access_token="graph-token", graph_url=graph_url
    )
    reader = GraphReader()
    app = make_collector(Sources((source,)), publisher, fetchers={"meta": reader})
    body = payload("meta-leadgen")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test") as door:
        answer = await door.post("/v1/webhooks/meta", content=body, headers=signed(body))
    await reader.close()

    assert answer.status_code == 202
    assert taken()[0]["subject"]["email"] == "joe@example.com"
