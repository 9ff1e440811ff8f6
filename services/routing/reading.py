"""From the bytes of `leads.scored` to a lead, or to a typed reason why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import orjson
from pydantic import ValidationError

from schemas import SalesOutcome, ScoredLead
from schemas.record import EARLIEST, SCHEMA_VERSION, Record
from streaming.stage import Message, RecordError

R = TypeVar("R", bound=Record)

FURTHEST_AHEAD = timedelta(hours=24)
"""So much may a sender's clock be ahead of ours."""


def record(value: bytes | None, model: type[R]) -> R:
    """`value` as a `model`. Raises `RecordError` with a typed reason."""
    if value is None:
        raise RecordError("tombstone", "the record has no value; records of leads are never deleted this way")
    try:
        found = model.model_validate_json(value)
    except ValidationError as exc:
        _check_version(value)
        first = exc.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise RecordError("invalid_json", f"{first['msg']}; send one JSON object in UTF-8") from None
        where = ".".join(map(str, first["loc"])) or "the value"
        raise RecordError(
            "schema_violation", f"{where}: {first['msg']}; see the JSON Schema of {model.__name__}"
        ) from None
    if found.schema_version > SCHEMA_VERSION:
        raise _unsupported(found.schema_version)
    return found


def _check_version(value: bytes) -> None:
    """A record of a later version may well have another shape: that is no fault of its writer."""
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError:
        return
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise _unsupported(version)


def _unsupported(version: int) -> RecordError:
    detail = f"schema_version is {version}; this version reads up to {SCHEMA_VERSION}: upgrade Baton"
    return RecordError("unsupported_version", detail)


def scored_lead(message: Message) -> ScoredLead:
    """The lead in `message`. Raises `RecordError`."""
    lead = record(message.value(), ScoredLead)
    _no_nul("lead_id", lead.lead_id)
    key = message.key()
    if key is None or key != lead.lead_id.encode():
        raise RecordError("schema_violation", "key: is not the lead_id; a lead's records share a partition by it")
    return lead


def sales_outcome(value: bytes | None, came_at: datetime) -> SalesOutcome:
    """The outcome in `value`, that came at `came_at`. Raises `RecordError`."""
    outcome = record(value, SalesOutcome)
    if outcome.occurred_at < EARLIEST:
        raise RecordError("schema_violation", "occurred_at: lies before the year 2000; send the time of the outcome")
    if outcome.occurred_at > came_at + FURTHEST_AHEAD:
        detail = "occurred_at: lies more than 24 hours ahead of the time at which it came; set the sender's clock right"
        raise RecordError("schema_violation", detail)
    for name in ("outcome_id", "lead_id", "assignment_id", "reason"):
        _no_nul(name, getattr(outcome, name))
    return outcome


def _no_nul(field: str, text: str | None) -> None:
    """PostgreSQL's texts hold everything but NUL. Raises `RecordError`."""
    if text is not None and "\x00" in text:
        raise RecordError("schema_violation", f"{field}: holds a NUL character; leave it out")
