"""Answers that say what is wrong: RFC 9457, Problem Details for HTTP APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from services.ingest.refusal import Refused, Violation

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "invalid_json": 400,
    "invalid_form": 400,
    "unauthorized": 401,
    "bad_signature": 401,
    "source_closed": 401,
    "forbidden": 403,
    "origin_not_allowed": 403,
    "not_found": 404,
    "unknown_source": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "schema_violation": 422,
    "unsupported_version": 422,
    "no_identifier": 422,
    "no_events": 422,
    "nothing_taken": 422,
    "too_many": 422,
    "lead_not_found": 422,
    "overloaded": 429,
    "not_safe_yet": 503,
    "platform_unreachable": 503,
    "internal": 500,
}
"""Status of each reason; these codes are the public ones."""

TITLES: Mapping[str, str] = {
    "bad_request": "The request is not understood",
    "invalid_json": "The body is not valid JSON",
    "invalid_form": "The body is not a valid form",
    "unauthorized": "The token is missing or wrong",
    "bad_signature": "The signature is missing or wrong",
    "source_closed": "This source is closed",
    "forbidden": "This is not allowed",
    "origin_not_allowed": "Pages of this origin may not send here",
    "not_found": "There is nothing here",
    "unknown_source": "There is no such source",
    "method_not_allowed": "This method is not for this address",
    "request_timeout": "The body did not come in time",
    "too_large": "The body is too large",
    "unsupported_media_type": "This content type is not taken",
    "schema_violation": "A field is missing or wrong",
    "unsupported_version": "This version is not known here",
    "no_identifier": "Nothing says whose event this is",
    "no_events": "The body holds no event",
    "nothing_taken": "None of the events could be taken",
    "too_many": "There are too many events in one request",
    "lead_not_found": "The platform has no such lead for us",
    "overloaded": "Too much is under way",
    "not_safe_yet": "The events could not be stored in time",
    "platform_unreachable": "The platform does not give out the lead now",
    "internal": "Something broke on our side",
}


def problem(why: Refused, *, retry_after: int | None = None, refused: Sequence[Mapping[str, Any]] = ()) -> Response:
    """The answer for a refusal. `refused` lists the members of a batch; `retry_after` is in seconds."""
    body: dict[str, Any] = {"type": f"urn:baton:problem:{why.reason}", "status": STATUS[why.reason]} | told(why)
    if refused:
        body["refused"] = list(refused)
    headers = {"retry-after": str(retry_after)} if retry_after is not None else {}
    if body["status"] == 401:
        headers["www-authenticate"] = 'Bearer realm="baton"'
    return Response(orjson.dumps(body), body["status"], headers, MEDIA_TYPE)


def told(why: Refused) -> dict[str, Any]:
    """The parts of a problem that members of a batch have too."""
    return {
        "code": why.reason,
        "title": TITLES[why.reason],
        "detail": why.detail,
        "errors": [_error(violation) for violation in why.violations],
    }


def member(index: int, why: Refused) -> dict[str, Any]:
    """A refused member of a batch, by its index from 0."""
    return {"index": index, "status": STATUS[why.reason]} | told(why)


def _error(violation: Violation) -> dict[str, str]:
    return {"field": violation.field, "problem": violation.problem, "mend": violation.mend}
