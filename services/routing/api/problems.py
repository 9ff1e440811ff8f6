"""Refusals, as RFC 9457 has them: `application/problem+json` that names the field and the mend."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

TITLES = {
    400: "The request cannot be read",
    404: "There is nothing here",
    405: "This address does not take that method",
    409: "The assignment does not allow this now",
    413: "The body is too large",
    415: "The body is no JSON",
    422: "A field is wrong",
    500: "A fault of ours",
    503: "Not now",
}


class Problem(Exception):
    """A request that is refused. `field` is where; `detail` says what is wrong with it, `mend` what helps."""

    def __init__(self, status: int, detail: str, mend: str, field: str = "", retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.mend, self.field, self.retry_after = status, detail, mend, field, retry_after

    def response(self) -> Response:
        """As HTTP."""
        body = {"type": "about:blank", "title": TITLES[self.status], "status": self.status, "detail": self.detail}
        errors = [{"field": self.field, "problem": self.detail, "mend": self.mend}]
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Response(
            orjson.dumps({**body, "mend": self.mend, "errors": errors}),
            self.status,
            headers,
            "application/problem+json",
        )


def json_response(value: Any, status: int = 200) -> Response:
    """`value` as JSON; times become RFC 3339."""
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), status, media_type="application/json")
