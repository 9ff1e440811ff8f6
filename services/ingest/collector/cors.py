"""Which pages may send from a browser: CORS, by the origins of the source.

Source: Fetch standard, CORS protocol. A source without `origins` takes forms from any page.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from services.ingest.collector import problems
from services.ingest.refusal import refused
from services.ingest.source import Source, Sources

METHODS = "POST, OPTIONS"
HEADERS = "Authorization, Content-Type"
MAX_AGE_SECONDS = 600


def preflight(request: Request, sources: Sources) -> Response:
    """The answer to a browser that asks whether a page may send."""
    origin = request.headers.get("origin")
    if not origin or not _allowed(origin, _concerned(request, sources)):
        why = refused(
            "origin_not_allowed",
            "Origin",
            "is none of the source" if origin else "is missing",
            "Add the page's origin to the source's `origins` in sources.yaml",
        )
        return problems.problem(why)
    headers = {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": str(MAX_AGE_SECONDS),
    }
    return allow(request, Response(status_code=204, headers=headers), sources)


def allow(request: Request, response: Response, sources: Sources) -> Response:
    """`response` with the headers that let an allowed page read it."""
    response.headers["vary"] = "Origin"
    origin = request.headers.get("origin")
    if origin and _allowed(origin, _concerned(request, sources)):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = "Retry-After"
    return response


def _concerned(request: Request, sources: Sources) -> Iterable[Source]:
    """The form's source; at `/v1/events` all that may speak there, since only the body names one."""
    name = request.path_params.get("source")
    if name is None:
        return [source for source in sources if source.kind in ("form", "events")]
    source = sources.get(name)
    return [source] if source is not None else []


def _allowed(origin: str, sources: Iterable[Source]) -> bool:
    return any(not source.origins or {"*", origin.lower()} & set(source.origins) for source in sources)
