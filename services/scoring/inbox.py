"""Reads a record of `leads.events`. Its value is guarded like a stranger's: other programs may write there too."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from schemas.fast import Unreadable, lead_event
from services.scoring.event import Event, event_of
from streaming.stage import Message, RecordError

AHEAD: Final = timedelta(hours=24)
_AHEAD_MICROS: Final = AHEAD // timedelta(microseconds=1)


def read(message: Message) -> tuple[bytes, Event]:
    """Key and event of a record.

    Raises `RecordError`: `tombstone`, `no_key`, `key_mismatch`, `invalid_json`, `schema_violation` or
    `unsupported_version`.
    """
    key, value = message.key(), message.value()
    if value is None:
        raise RecordError("tombstone", "the record has no value; events are never deleted by key: take it out")
    try:
        event = event_of(lead_event(value))
    except Unreadable as error:
        raise RecordError(error.reason, error.detail) from None
    if not key:
        raise RecordError("no_key", "the record has no key; write the lead_id as its key")
    if key != event.lead_id.encode():
        raise RecordError("key_mismatch", "the key is not the lead_id of the value; write the lead_id as the key")
    _, written = message.timestamp()
    if written > 0 and event.at > written * 1_000 + _AHEAD_MICROS:
        raise RecordError(
            "schema_violation",
            "event.occurred_at: lies more than 24 hours ahead of the record; send the time at which it happened",
        )
    return key, event
