"""`POST /v1/forms/{source}`: what a person typed into a web form, form-encoded, multipart or JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from schemas.ids import derived_id
from services.ingest import spellings, strict_json
from services.ingest.collector import admission, batches, bodies, hubspot_form
from services.ingest.collector.door import Door
from services.ingest.collector.events import accepted
from services.ingest.fields import event_data
from services.ingest.reading import check_size, event_of
from services.ingest.refusal import refused
from services.ingest.source import Source

Pairs = list[tuple[str, Any]]

DOUBLE_CLICK_SECONDS = 600
"""The same answers within so long are one submission, unless the form sends an `event_id`."""


async def post_form(request: Request, door: Door) -> Response:
    """202 once the submission is safe. Raises `Refused`."""
    source = admission.known(door.sources, request.path_params["source"])
    if source.kind != "form":
        mend = f"Send to /v1/webhooks/{source.id}" if source.kind != "events" else "Send to /v1/events"
        raise refused("unknown_source", "source", f"`{source.id}` is not a form", mend)
    admission.check_origin(source, request.headers.get("origin"))
    admission.check_token(source, request.headers.get("authorization"))
    body = await bodies.read(request, most=door.limits.body, seconds=door.limits.body_seconds)
    pairs, more = await _answers(request, body, door.limits.fields)
    now = door.clock()
    data = _submission(pairs, source, more.get("occurred_at") or now, now, _told_by_browser(request))
    data["consent"] += more.get("consent", [])
    event = event_of(data, now).model_copy(update={"received_at": now})
    admission.check_identified(event, source)
    check_size(len(event.to_json()))
    await door.take([event])
    return accepted([event.event_id], [])


def _submission(
    pairs: Pairs, source: Source, at: datetime, now: datetime, browser: Mapping[str, str]
) -> dict[str, Any]:
    named = {spellings.plain(name): value for name, value in pairs if isinstance(value, str) and value.strip()}
    rest = [(name, value) for name, value in pairs if spellings.plain(name) not in ("eventid", "eventtype")]
    data = event_data(
        rest,
        event_id=named.get("eventid") or _id_of(rest, source, now),
        type=named.get("eventtype") or source.event,
        occurred_at=at,
        source=source.id,
    )
    for name, value in browser.items():
        data["properties"].setdefault(name, value)
    return data


def _id_of(pairs: Pairs, source: Source, now: datetime) -> str:
    """The same for the same answers within a few minutes: who clicks twice has sent one form."""
    answers = orjson.dumps(sorted(pairs, key=lambda pair: pair[0]), option=orjson.OPT_SORT_KEYS).decode()
    return derived_id("form", source.id, str(int(now.timestamp()) // DOUBLE_CLICK_SECONDS), answers)


def _told_by_browser(request: Request) -> dict[str, str]:
    said = {"user_agent": request.headers.get("user-agent"), "url": request.headers.get("referer")}
    return {name: value[:2_000] for name, value in said.items() if value}


async def _answers(request: Request, body: bytes, most: int) -> tuple[Pairs, dict[str, Any]]:
    """The fields, and what HubSpot's shape says beside them. Raises `Refused`."""
    media = bodies.media_type(request)
    text = body.strip()
    if media in batches.JSON or (media in batches.BY_SHAPE and text[:1] == b"{" and text[-1:] == b"}"):
        return _json(text, most)
    if media == "multipart/form-data":
        return await _multipart(request, body, most), {}
    if media in batches.BY_SHAPE:
        return _urlencoded(text, most), {}
    raise refused(
        "unsupported_media_type",
        "Content-Type",
        "is not one that forms are sent in",
        "Send application/x-www-form-urlencoded, multipart/form-data or application/json",
    )


def _json(text: bytes, most: int) -> tuple[Pairs, dict[str, Any]]:
    data = strict_json.loads(text)
    if not isinstance(data, dict):
        raise refused("schema_violation", "", "is not an object", "Send one object: names of fields and their values")
    if hubspot_form.is_hubspot(data):
        more = {"consent": hubspot_form.consents(data), "occurred_at": hubspot_form.submitted_at(data)}
        return _checked(list(hubspot_form.pairs(data)), most), more
    return _checked(list(data.items()), most), {}


def _urlencoded(text: bytes, most: int) -> Pairs:
    try:
        pairs = parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=most)
    except UnicodeDecodeError:
        raise refused("invalid_form", "", "is not UTF-8", "Send the form in UTF-8: accept-charset=utf-8") from None
    except ValueError:
        raise _too_many_fields(most) from None
    return _checked(list(pairs), most)


async def _multipart(request: Request, body: bytes, most: int) -> Pairs:
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary", b"")
    if b"--" + boundary + b"--" not in body:  # a parser takes what is there, be it half of an answer
        what = "is not multipart/form-data up to the closing boundary that its header names"
        raise refused("invalid_form", "", what, "Send the whole body, and the boundary in its header")

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=most, max_fields=most, max_part_size=max(len(body), 1)
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, LookupError):
        raise refused(
            "invalid_form", "", "is not multipart/form-data with the boundary that its header names", "Mend the body"
        ) from None
    # Of a file its name is kept: the collector stores no files.
    pairs = [
        (name, (value.filename or "") if isinstance(value, UploadFile) else value) for name, value in form.multi_items()
    ]
    await form.close()
    return _checked(pairs, most)


def _checked(pairs: Pairs, most: int) -> Pairs:
    if len(pairs) > most:
        raise _too_many_fields(most)
    if not pairs:
        raise refused("no_events", "", "the form has no fields", "Send its fields by their names")
    if any("\0" in name or (isinstance(value, str) and "\0" in value) for name, value in pairs):
        raise refused("invalid_form", "", "a field holds the character U+0000", "Remove it")
    return pairs


def _too_many_fields(most: int) -> Exception:
    return refused("invalid_form", "", f"has more than {most} fields", "Send fewer fields")
