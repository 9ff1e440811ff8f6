"""The collector: the HTTP door that web forms, ad platforms and other senders come in by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.topics import MARKETING_EVENTS, failed
from services.ingest.collector import cors, problems
from services.ingest.collector.door import Door, Limits
from services.ingest.collector.events import post_events
from services.ingest.collector.forms import post_form
from services.ingest.collector.webhooks import get_webhook, post_webhook
from services.ingest.platforms.platform import Fetcher
from services.ingest.publisher import Publisher
from services.ingest.refusal import Refused, refused
from services.ingest.source import Sources
from services.ingest.stage import NAME
from streaming.metrics import REGISTRY

log = structlog.get_logger(__name__)

Endpoint = Callable[[Request, Door], Awaitable[Response]]

RETRY_AFTER = {"overloaded": 1, "not_safe_yet": 5, "platform_unreachable": 60}
"""Seconds after which a repeat has a chance."""


def _now() -> datetime:
    return datetime.now(UTC)


def make_collector(
    sources: Sources,
    publisher: Publisher,
    *,
    prefix: str = "",
    clock: Callable[[], datetime] = _now,
    fetchers: Mapping[str, Fetcher] | None = None,
    limits: Limits | None = None,
) -> Starlette:
    """The application. It owns neither publisher nor fetchers: who made them closes them.

    `prefix` stands before the topics' names. `fetchers` by kind: `{"meta": GraphReader()}`.
    """
    door = Door(
        sources,
        publisher,
        clock,
        prefix + MARKETING_EVENTS,
        prefix + failed(NAME),
        fetchers or {},
        limits or Limits(),
    )
    door.watch()
    form, events = (partial(_browser, door=door, endpoint=endpoint) for endpoint in (post_form, post_events))
    return Starlette(
        routes=[
            Route("/v1/events", events, methods=["POST", "OPTIONS"]),
            Route("/v1/forms/{source}", form, methods=["POST", "OPTIONS"]),
            Route("/v1/webhooks/{source}", partial(_webhook, door=door), methods=["GET", "POST"]),
            Route("/healthz", partial(_healthz, door=door)),
            Route("/readyz", partial(_readyz, door=door)),
            Route("/metrics", _metrics),
        ],
        exception_handlers={HTTPException: _http_problem, Exception: _broken},
        lifespan=_lifespan,
    )


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield


async def _browser(request: Request, *, door: Door, endpoint: Endpoint) -> Response:
    if request.method == "OPTIONS":
        return cors.preflight(request, door.sources)
    return cors.allow(request, await _answered(request, door, endpoint), door.sources)


async def _webhook(request: Request, *, door: Door) -> Response:
    return await _answered(request, door, post_webhook if request.method == "POST" else get_webhook)


async def _answered(request: Request, door: Door, endpoint: Endpoint) -> Response:
    try:
        return await endpoint(request, door)
    except Refused as why:
        log.info("refused", path=request.url.path, reason=why.reason)
        return problems.problem(why, retry_after=RETRY_AFTER.get(why.reason))


async def _healthz(_: Request, *, door: Door) -> Response:
    why = door.publisher.unwell()
    return JSONResponse({"alive": not why, "why": why}, 503 if why else 200)


async def _readyz(_: Request, *, door: Door) -> Response:
    why = door.publisher.unwell() or await door.publisher.unready()
    body = {"ready": not why, "conditions": {"kafka": {"ok": not why, "why": why}}}
    return JSONResponse(body, 503 if why else 200)


async def _metrics(request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"content-type": content_type})


async def _http_problem(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        why = refused(
            "method_not_allowed", "", "this method is not for this address", "See docs/reference/collector.md"
        )
    elif status == 404:
        why = refused("not_found", "", "no such address", "Send to /v1/events, /v1/forms/… or /v1/webhooks/…")
    else:
        why = refused("bad_request", "", "the request is not understood", "See docs/reference/collector.md")
    response = problems.problem(why)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def _broken(request: Request, error: Exception) -> Response:
    log.error("a request broke the collector", path=request.url.path, error=type(error).__name__)
    return problems.problem(refused("internal", "", "something broke on our side", "Send it again later"))
