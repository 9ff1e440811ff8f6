"""`GET|POST /v1/webhooks/{source}`: what platforms deliver."""

from __future__ import annotations

import asyncio
from datetime import datetime

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from schemas import MarketingEvent
from schemas.headers import rfc3339
from services.ingest.collector import admission, bodies
from services.ingest.collector.door import Door, count
from services.ingest.collector.events import accepted
from services.ingest.platforms import PLATFORMS
from services.ingest.platforms.platform import Delivery, Fetcher, Notice, Parsed, Platform, Unreachable
from services.ingest.publisher import Outgoing
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source
from streaming.run import DETAIL, FAILED_AT, OFFSET, PARTITION, REASON, TOPIC

log = structlog.get_logger(__name__)

AT_ONCE = 10
"""So many leads of one delivery are fetched at a time."""


async def get_webhook(request: Request, door: Door) -> Response:
    """Answer the platform's challenge. Raises `Refused`."""
    source, platform = _addressed(request, door)
    answer = platform.challenge(_delivery(request, b"", door.clock()), source)
    return Response(answer.body, 200, {"content-type": answer.content_type})


async def post_webhook(request: Request, door: Door) -> Response:
    """Take a delivery once all of it is safe. Raises `Refused`."""
    source, platform = _addressed(request, door)
    body = await bodies.read(request, most=door.limits.body, seconds=door.limits.body_seconds)
    now = door.clock()
    delivery = _delivery(request, body, now)
    platform.verify(delivery, source)
    parsed = platform.parse(delivery, source)
    unreachable, lost = await _fetch(parsed, source, door.fetchers.get(source.kind), now)
    events = [event.model_copy(update={"received_at": now}) for event in parsed.events]
    await door.take(events)
    if lost:
        await door.store([_failed(notice, why, door, now) for notice, why in lost])
    count("refused", len(parsed.refused))
    if unreachable:
        log.warning("leads not fetched", source=source.id, leads=len(unreachable), why=str(unreachable[0]))
        raise refused(
            "platform_unreachable", "", str(unreachable[0]), "Deliver it again later: what is safe already is dropped"
        )
    if parsed.refused and not events and not lost:
        raise parsed.refused[0][1]
    return accepted([event.event_id for event in events], parsed.refused)


async def _fetch(
    parsed: Parsed, source: Source, fetcher: Fetcher | None, now: datetime
) -> tuple[list[Unreachable], list[tuple[Notice, Refused]]]:
    """Fetch what was only given notice of, into `parsed.events`; what could not be, now or ever."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(notice: Notice) -> MarketingEvent | Unreachable | tuple[Notice, Refused]:
        if fetcher is None:
            return Unreachable("this collector has nothing to fetch leads with")
        async with turn:
            try:
                return await fetcher.fetch(notice, source, now)
            except Unreachable as why:
                return why
            except Refused as why:
                return notice, why

    unreachable, lost = [], list(parsed.kept)
    for found in await asyncio.gather(*map(one, parsed.notices)):
        if isinstance(found, MarketingEvent):
            parsed.events.append(found)
        elif isinstance(found, Unreachable):
            unreachable.append(found)
        else:
            lost.append(found)
    return unreachable, lost


def _failed(notice: Notice, why: Refused, door: Door, now: datetime) -> Outgoing:
    """A notice that will never be an event, kept beside the stage's failed records: a repeat would not help."""
    headers = {
        REASON: why.reason,
        DETAIL: why.detail,
        TOPIC: door.topic,
        PARTITION: "-1",
        OFFSET: "-1",
        FAILED_AT: rfc3339(now),
    }
    value = orjson.dumps(dict(notice.raw))
    return Outgoing(door.failed, notice.lead.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def _addressed(request: Request, door: Door) -> tuple[Source, Platform]:
    source = admission.known(door.sources, request.path_params["source"])
    platform = PLATFORMS.get(source.kind)
    if platform is None:
        mend = f"Send to /v1/forms/{source.id}" if source.kind == "form" else "Send to /v1/events"
        raise refused("unknown_source", "source", f"`{source.id}` has no webhook", mend)
    return source, platform


def _delivery(request: Request, body: bytes, now: datetime) -> Delivery:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(body, now, headers, dict(request.query_params), str(request.url))
