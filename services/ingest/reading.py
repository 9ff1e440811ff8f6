"""From bytes to a `MarketingEvent`, or to the reason why not: one set of rules for the door and for the stage."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from schemas import MarketingEvent
from schemas.record import SCHEMA_VERSION
from services.ingest.refusal import Refused, refused, violations

MAX_EVENT_BYTES = 256 * 1024
"""The largest single event."""

FURTHEST_AHEAD = timedelta(hours=24)
"""So much may a sender's clock be ahead of ours."""

_PARTS = ("subject", "attributes", "properties", "campaign", "consent")


def check_size(size: int) -> None:
    """Raises `Refused` (`too_large`) for an event of more than `MAX_EVENT_BYTES`."""
    if size > MAX_EVENT_BYTES:
        raise refused(
            "too_large",
            "",
            f"the event has {size} bytes, {MAX_EVENT_BYTES} are the most",
            "Send references instead of contents",
        )


def event_of(data: Any, at: datetime | None) -> MarketingEvent:
    """The event that parsed JSON stands for. `at` (aware): when the record came; None where that is not known.

    A part that is null counts as absent. Raises `Refused` (`schema_violation`, `unsupported_version`).
    """
    if not isinstance(data, dict):
        raise refused("schema_violation", "", "an event is an object", "Send one object in braces an event")
    version = data.get("schema_version")
    if isinstance(version, bool):  # which Python counts among the integers
        mend = f"Send schema_version {SCHEMA_VERSION}, or leave it out"
        raise refused("schema_violation", "schema_version", "is not an integer", mend)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise refused(
            "unsupported_version",
            "schema_version",
            f"version {version} is not known here, {SCHEMA_VERSION} is the latest",
            f"Send schema_version {SCHEMA_VERSION}, or update Baton",
        )
    if any(data.get(part, data) is None for part in _PARTS):
        data = {name: value for name, value in data.items() if value is not None or name not in _PARTS}
    try:
        event = MarketingEvent.model_validate(data)
    except ValidationError as error:
        raise Refused("schema_violation", *violations(error)) from None
    if at is not None:
        check_time(event, at)
    return event


def check_time(event: MarketingEvent, at: datetime) -> None:
    """Raises `Refused` where the event lies further ahead of `at` than a wrong clock explains."""
    if event.occurred_at > at + FURTHEST_AHEAD:
        raise refused(
            "schema_violation",
            "occurred_at",
            "lies more than 24 hours ahead of the time at which it came",
            "Send the time of the event, from a clock that is right",
        )
