"""`baton send`: JSON Lines through the collector's `/v1/events`, in batches."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
import orjson

from baton.refusal import NO, Refusal

BATCH = 500
"""Events a request."""
BATCH_BYTES = 512_000
"""Bytes a request: well below what the collector takes."""
_OFTEN = 30
"""Times that a batch is tried while the collector is too busy or away."""
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not taken: its number in the file, from 1, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Sent:
    """What became of a file's lines."""

    accepted: int = 0
    refused: list[BadLine] = field(default_factory=list)


Line = tuple[int, bytes]


def address(url: str, of: str = "a collector") -> str:
    """The address of a collector (or whatever it is `of`), as it is.

    Raises `Refusal` where it is no http or https URL with a host.
    """
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in ("http", "https") and bool(parsed.host)
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise Refusal(f"`{url}` is no address of {of}", "Write --url http://host:port")
    return url


def batches(lines: Iterable[bytes]) -> Iterator[tuple[list[Line], list[BadLine]]]:
    """Lines that are JSON objects, batched by count and size; with each batch the lines on the way that are none."""
    numbered = iter(enumerate(lines, 1))
    while chunk := list(islice(numbered, BATCH)):
        good: list[Line] = []
        bad: list[BadLine] = []
        size = 0
        for number, line in chunk:
            if not line.strip():
                continue
            reason = _unreadable(line)
            if reason:
                bad.append(BadLine(number, reason))
                continue
            if good and size + len(line) > BATCH_BYTES:
                yield good, bad
                good, bad, size = [], [], 0
            good.append((number, line.strip()))
            size += len(line)
        if good or bad:
            yield good, bad


def send(
    lines: Iterable[bytes],
    client: httpx.Client,
    *,
    progress: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Sent:
    """Send every line; `progress` is told how many more lines are done.

    Raises `Refusal` where the collector stays away. Sending a file again is harmless: events are known by their
    `event_id`.
    """
    sent = Sent()
    for good, bad in batches(lines):
        sent.refused += bad
        if good:
            _send_batch(client, good, sent, pause)
        progress(len(good) + len(bad))
    sent.refused.sort(key=lambda refused: refused.line)
    return sent


def _send_batch(client: httpx.Client, batch: list[Line], sent: Sent, pause: Callable[[float], None]) -> None:
    """One request; where the whole batch is refused for one member's sake, each half on its own."""
    answer = _post(client, b"\n".join(line for _, line in batch), pause)
    body = _document(answer)
    if answer.status_code in (httpx.codes.ACCEPTED, httpx.codes.MULTI_STATUS):
        refused = [BadLine(batch[one["index"]][0], _reason(one)) for one in _members(body)]
        sent.refused += refused
        sent.accepted += len(batch) - len(refused)
    elif answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Refusal(f"the collector refuses: {_reason(body)}", "Give the source's token: --token", NO)
    elif answer.status_code == httpx.codes.NOT_FOUND and not body:
        raise Refusal(f"no collector answers at {client.base_url}", "Check the address: --url", NO)
    elif len(batch) == 1:
        members = _members(body)
        sent.refused.append(BadLine(batch[0][0], _reason(members[0] if members else body)))
    elif answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
        members = _members(body)
        if len(members) == len(batch):
            sent.refused += [BadLine(batch[one["index"]][0], _reason(one)) for one in members]
            return
        middle = len(batch) // 2
        _send_batch(client, batch[:middle], sent, pause)
        _send_batch(client, batch[middle:], sent, pause)
    else:
        raise Refusal(f"the collector failed with status {answer.status_code}: {_reason(body)}", "See its log", NO)


def _post(client: httpx.Client, body: bytes, pause: Callable[[float], None]) -> httpx.Response:
    """The collector's answer, once it has one other than "later"."""
    headers = {"content-type": "application/x-ndjson"}
    problem = ""
    for attempt in range(_OFTEN):
        try:
            answer = client.post("/v1/events", content=body, headers=headers)
        except httpx.TransportError as error:
            problem = f"the collector at {client.base_url} does not answer ({type(error).__name__})"
            if attempt == 0 and isinstance(error, httpx.ConnectError):
                raise Refusal(problem, "Start it with `baton up`, or give its address: --url", NO) from error
            pause(min(_LONGEST_PAUSE, 0.2 * 2**attempt))
            continue
        if answer.status_code not in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
            return answer
        problem = f"the collector is too busy (status {answer.status_code})"
        pause(_retry_after(answer, min(_LONGEST_PAUSE, 0.2 * 2**attempt)))
    raise Refusal(problem, "Try again later: what was taken already is not taken twice", NO)


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    try:
        return min(_LONGEST_PAUSE, max(0.0, float(answer.headers.get("retry-after", ""))))
    except ValueError:
        return otherwise


def _unreadable(line: bytes) -> str:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    return "" if isinstance(value, dict) else "not a JSON object: one event a line"


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = json.loads(answer.content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _members(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = body.get("refused") or body.get("errors") or []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("index"), int)]


def _reason(problem: dict[str, Any]) -> str:
    words = [str(problem[key]) for key in ("field", "reason", "title", "detail", "message", "mend") if problem.get(key)]
    return ": ".join(dict.fromkeys(words)) or "refused"
