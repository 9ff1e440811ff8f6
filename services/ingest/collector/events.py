"""`POST /v1/events`: one event, an array, or JSON Lines."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schemas import MarketingEvent
from services.ingest.collector import admission, batches, bodies, problems
from services.ingest.collector.door import Door, count
from services.ingest.reading import MAX_EVENT_BYTES, check_size
from services.ingest.refusal import Refused, Violation

SURELY_SMALL = MAX_EVENT_BYTES // 8
"""No event of a body up to this size can be too large: to write it anew lengthens no number more than that."""


async def post_events(request: Request, door: Door) -> Response:
    """202 where all are taken, 207 where some are, else the problem. Raises `Refused`."""
    body = await bodies.read(request, most=door.limits.body, seconds=door.limits.body_seconds)
    members, single = batches.split(body, bodies.media_type(request))
    taken: list[MarketingEvent] = []
    refused: list[tuple[int, Refused]] = []
    now = door.clock()
    for index, member in enumerate(members):
        try:
            if isinstance(member, Refused):
                raise member
            event = admission.admitted(
                member,
                door.sources,
                authorization=request.headers.get("authorization"),
                origin=request.headers.get("origin"),
                now=now,
            )
            if len(body) > SURELY_SMALL:
                check_size(len(event.to_json()))
            taken.append(event)
        except Refused as why:
            refused.append((index, why))
    count("refused", len(refused))
    if single and refused:
        raise refused[0][1]
    if not taken:
        return _nothing_taken(refused)
    await door.take(taken)
    return accepted([event.event_id for event in taken], refused)


def accepted(event_ids: list[str], refused: list[tuple[int, Refused]]) -> Response:
    """202, or 207 with each refused member by its index."""
    body: dict[str, Any] = {"accepted": len(event_ids), "event_ids": event_ids}
    if refused:
        body["refused"] = [problems.member(index, why) for index, why in refused]
    return Response(orjson.dumps(body), 207 if refused else 202, media_type="application/json")


def _nothing_taken(refused: list[tuple[int, Refused]]) -> Response:
    """One problem for the batch; of the members' one reason, where they all have the same."""
    reasons = {why.reason for _, why in refused}
    reason = reasons.pop() if len(reasons) == 1 else "nothing_taken"
    _, first = refused[0]
    whole = Refused(reason, Violation("", f"none of {len(refused)} events could be taken", "See `refused`"))
    errors = Refused(reason, *whole.violations, *first.violations)
    return problems.problem(errors, refused=[problems.member(index, why) for index, why in refused])
