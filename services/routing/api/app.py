"""The sales API as a Starlette application. The ledger is asked in threads, so no request holds up another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import time
from typing import Any, TypeVar

from prometheus_client.exposition import choose_encoder
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.headers import cloudevent
from schemas.topics import SALES_OUTCOMES
from services.routing.api.bodies import Answer, Availability, body_of, parsed
from services.routing.api.problems import TITLES, Problem, json_response
from services.routing.api.publishing import Publisher
from services.routing.calendars import instant
from services.routing.ledger import Ledger, reading
from services.routing.ledger.answers import Desk, NoSuchAssignment, NotTheirs
from services.routing.ledger.faults import told_apart
from services.routing.ledger.models import RepRow
from services.routing.plan import Plan
from services.routing.reading import sales_outcome
from streaming.metrics import REGISTRY
from streaming.stage import Output, RecordError, TransientError

T = TypeVar("T")

log = logging.getLogger(__name__)

FILTERS = ("rep", "queue", "status", "lead_id")
MOST, USUAL = 1_000, 100
STATUSES = ("waiting", "offered", "accepted", "declined", "expired", "released", "closed")


def make_sales_api(
    ledger: Ledger, plan: Plan, publisher: Publisher, prefix: str = "", clock: Callable[[], float] = time
) -> Starlette:
    """The application. `prefix` is put before topics; `clock` gives seconds since the epoch."""
    sales = _Sales(ledger, plan, publisher, prefix, clock)
    return Starlette(
        routes=[
            Route("/v1/assignments", sales.assignments, methods=["GET"]),
            Route("/v1/assignments/{id}/accept", partial(sales.answer, Desk.accept), methods=["POST"]),
            Route("/v1/assignments/{id}/decline", partial(sales.answer, Desk.decline), methods=["POST"]),
            Route("/v1/outcomes", sales.outcome, methods=["POST"]),
            Route("/v1/leads/{id}", sales.lead, methods=["GET"]),
            Route("/v1/reps/{id}/availability", sales.availability, methods=["PUT"]),
            Route("/healthz", sales.healthz, methods=["GET"]),
            Route("/readyz", sales.readyz, methods=["GET"]),
            Route("/metrics", sales.metrics, methods=["GET"]),
        ],
        exception_handlers={
            Problem: _refused,
            HTTPException: _http_refused,
            TransientError: _not_now,
            Exception: _broken,
        },
    )


class _Sales:
    def __init__(
        self, ledger: Ledger, plan: Plan, publisher: Publisher, prefix: str, clock: Callable[[], float]
    ) -> None:
        self.ledger, self.plan, self.publisher, self.prefix, self.clock = ledger, plan, publisher, prefix, clock

    async def assignments(self, request: Request) -> Response:
        asked = request.query_params
        for name in asked:
            if name not in (*FILTERS, "limit", "cursor"):
                raise Problem(422, f"{name}: unknown", f"Filter by {', '.join(FILTERS)}; page by limit, cursor.", name)
        if asked.get("status", STATUSES[0]) not in STATUSES:
            raise Problem(422, "status: unknown", f"Use one of {', '.join(STATUSES)}.", "status")
        if any("\x00" in value for value in asked.values()):
            raise Problem(422, "the query holds a NUL character", "Leave it out.")
        filters = {name: asked[name] for name in FILTERS if name in asked}
        limit = _limit(asked.get("limit", str(USUAL)))
        try:
            page, cursor = await self._read(reading.assignments, filters, limit, asked.get("cursor"))
        except reading.BadCursor:
            raise Problem(422, "cursor: not one of ours", "Send the last page's next_cursor.", "cursor") from None
        return json_response({"assignments": page, "next_cursor": cursor})

    async def answer(self, say: Callable[[Desk, str, str, str], bool], request: Request) -> Response:
        assignment_id, answer = _id(request), await parsed(request, Answer)
        try:
            changed = await run_in_threadpool(self._say, say, assignment_id, answer)
        except NoSuchAssignment:
            raise Problem(404, "there is no such assignment", "Take the id from GET /v1/assignments.", "id") from None
        except NotTheirs as exc:
            raise Problem(409, str(exc), "Read the assignment again; an outcome may be what you mean.", "rep") from None
        after = await self._read(reading.assignment, assignment_id)
        return json_response({"changed": changed} | (after or {}))

    def _say(self, say: Callable[[Desk, str, str, str], bool], assignment_id: str, answer: Answer) -> bool:
        with self.ledger.unit() as unit:
            return say(Desk(unit, self.plan, self.prefix, self.clock()), assignment_id, answer.rep, answer.reason)

    async def outcome(self, request: Request) -> Response:
        body = await body_of(request)
        try:
            outcome = sales_outcome(body, instant(self.clock()))
        except RecordError as exc:
            field, _, _ = exc.detail.partition(":")
            status = 400 if exc.reason == "invalid_json" else 422
            mend = "Send a SalesOutcome: outcome_id, lead_id, kind and occurred_at at least."
            raise Problem(status, exc.detail, mend, field if status == 422 else "") from None
        headers = cloudevent(
            id=outcome.outcome_id, source="baton/sales", type=outcome.ce_type, time=outcome.occurred_at
        )
        topic = self.prefix + SALES_OUTCOMES
        record = Output(topic, outcome.lead_id.encode(), outcome.to_json(), headers)
        await run_in_threadpool(self.publisher.publish, record)
        return json_response({"accepted": 1, "outcome_ids": [outcome.outcome_id]}, 202)

    async def lead(self, request: Request) -> Response:
        found = await self._read(reading.lead, _id(request))
        if found is None:
            raise Problem(404, "there is no such lead", "Ask by lead_id or by e-mail address.", "id")
        return json_response(found)

    async def availability(self, request: Request) -> Response:
        rep, told = _id(request), await parsed(request, Availability)
        if rep not in self.plan.roster.reps:
            raise Problem(404, "there is no such rep", "Use an id of the roster.", "id")
        if told.until is not None and told.until <= instant(self.clock()):
            raise Problem(422, "until: has passed already", "Send a time to come, or leave it out.", "until")
        await run_in_threadpool(self._set_availability, rep, told)
        return json_response(
            {"rep": rep, "available": told.available, "until": told.until, "reason": told.reason or None}
        )

    def _set_availability(self, rep: str, told: Availability) -> None:
        away = None if told.available else told.reason
        values = {"away": away, "away_until": None if told.available else told.until}
        with self.ledger.unit() as unit:
            unit.connection.execute(insert(RepRow).values(id=rep).on_conflict_do_nothing())
            unit.connection.execute(update(RepRow).where(RepRow.id == rep).values(**values))

    async def healthz(self, _: Request) -> Response:
        return json_response({"alive": True, "why": ""})

    async def readyz(self, _: Request) -> Response:
        try:
            await run_in_threadpool(self.ledger.position, "readiness", 0)
        except TransientError as exc:
            return json_response({"ready": False, "conditions": {"ledger": {"ok": False, "why": str(exc)}}}, 503)
        return json_response({"ready": True, "conditions": {"ledger": {"ok": True, "why": ""}}})

    async def metrics(self, request: Request) -> Response:
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encoder(REGISTRY), headers={"Content-Type": content_type})

    async def _read(self, read: Callable[..., T], *args: Any) -> T:
        def run() -> T:
            with told_apart(), self.ledger.engine.connect() as connection:
                return read(connection, *args)

        return await run_in_threadpool(run)


def _id(request: Request) -> str:
    found = str(request.path_params["id"])
    if "\x00" in found:
        raise Problem(422, "id: holds a NUL character", "Leave it out.", "id")
    return found


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise Problem(422, f"limit: not between 1 and {MOST}", "Send a whole number.", "limit")
    return int(text)


async def _refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return exc.response()


async def _http_refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    if exc.status_code not in TITLES:
        return json_response({"title": exc.detail, "status": exc.status_code}, exc.status_code)
    return Problem(exc.status_code, exc.detail, "See docs/reference/routing.md.").response()


async def _not_now(_: Request, exc: Exception) -> Response:
    log.warning("answered 503: %s", exc)
    return Problem(503, "the ledger or Kafka does not answer", "Try again shortly.", retry_after=2).response()


async def _broken(_: Request, exc: Exception) -> Response:
    # Its text may hold a person's data or the database's; Starlette hands it on to the server's log.
    log.error("answered 500: %s", type(exc).__name__)
    return Problem(500, "this request could not be answered", "Tell whoever runs Baton; the log says more.").response()
