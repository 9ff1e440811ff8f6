"""What `/v1/events` is sent, taken apart: one event, an array, or JSON Lines. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from services.ingest import cloudevents, strict_json
from services.ingest.reading import MAX_EVENT_BYTES
from services.ingest.refusal import Refused, refused

LINES = frozenset(
    (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
    )
)
JSON = frozenset(("application/json", cloudevents.STRUCTURED, cloudevents.BATCH))
BY_SHAPE = frozenset(("", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"))
"""What browsers' beacons and command lines say when they are not told better: the body's shape decides."""

MOST_EVENTS = 5_000


class Members(NamedTuple):
    """Parsed members, each an event's data or why it is none. `single`: it was one event, not a batch of one."""

    members: list[Any | Refused]
    single: bool


def split(body: bytes, media: str) -> Members:
    """The members of a body. Raises `Refused` where it is no batch at all."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if media not in LINES | JSON | BY_SHAPE and not media.endswith("+json"):
        mend = "Send application/json, or application/x-ndjson for JSON Lines"
        raise refused("unsupported_media_type", "Content-Type", "is not JSON", mend)
    if not text:
        raise refused("no_events", "", "the body is empty", "Send an event, an array of events, or JSON Lines")
    if media in LINES or (media not in JSON and _looks_like_lines(text)):
        return Members(_lines(text), single=False)
    if media in BY_SHAPE and text[:1] not in b"{[":
        raise refused("unsupported_media_type", "Content-Type", "is not JSON", "Send application/json")
    try:
        data = strict_json.loads(text)
    except Refused:
        if not _looks_like_lines(text):
            raise
        return Members(_lines(text), single=False)
    if isinstance(data, list):
        if not data:
            raise refused("no_events", "", "the array is empty", "Send at least one event")
        _check_number(len(data))
        return Members(data, single=False)
    return Members([data], single=True)


def _looks_like_lines(text: bytes) -> bool:
    """Whether each of the first two lines is an object of its own, as no JSON text that is spread over lines has it."""
    first, _, rest = text.partition(b"\n")
    second = rest.lstrip().partition(b"\n")[0]
    return all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in (first, second))


def _lines(text: bytes) -> list[Any | Refused]:
    lines = [line for line in text.split(b"\n") if line.strip()]
    _check_number(len(lines))
    return [_line(line.strip()) for line in lines]


def _line(line: bytes) -> Any | Refused:
    if len(line) > MAX_EVENT_BYTES:
        return refused("too_large", "", f"the event has more than {MAX_EVENT_BYTES} bytes", "Send a smaller one")
    try:
        return strict_json.loads(line)
    except Refused as why:
        return why


def _check_number(count: int) -> None:
    if count > MOST_EVENTS:
        raise refused("too_many", "", f"{count} events, {MOST_EVENTS} are the most", "Send them in smaller batches")
