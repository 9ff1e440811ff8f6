"""One event of a lead, as scoring needs it: what it says of the person, of consent, of where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, Final

import msgspec

from schemas import Attributes, Campaign, Subject
from schemas.fast import Read

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SUBJECT: Final = tuple(Subject.model_fields)
ATTRIBUTES: Final = tuple(Attributes.model_fields)
EXTRA: Final = "extra."
"""Put before the names of attributes that the schema does not know."""

LONGEST_EXTRA: Final = 1_000
"""Bytes (of MessagePack) that the value of an unknown attribute may have; a longer one is not kept."""

LONGEST_NAME: Final = 100
_LARGEST: Final = 2**53
_SUBJECT, _ATTRIBUTES, _CAMPAIGN = frozenset(SUBJECT), frozenset(ATTRIBUTES), tuple(Campaign.model_fields)


class Event(msgspec.Struct, frozen=True, gc=False):
    """What happened. Times are in microseconds since the epoch.

    `facts` has subject and attributes by name, unknown ones after `extra.`; `campaign` is None where it names nothing;
    `consent` has purpose, time and word in order; `json` is the `MarketingEvent`, for conditions.
    """

    lead_id: str
    id: str
    type: str
    at: int
    facts: Mapping[str, Any]
    campaign: Mapping[str, Any] | None
    consent: tuple[tuple[str, int, bool], ...]
    verdicts: tuple[str, ...]
    json: Mapping[str, Any]
    received_at: datetime = EPOCH


def event_of(read: Read) -> Event:
    """The event in a `LeadEvent` that was read."""
    record, happened = read.record, read.record.event
    json = read.tree["event"]
    at = micros(happened.occurred_at)
    facts: dict[str, Any] = {}
    for part, known in ((json.get("subject"), _SUBJECT), (json.get("attributes"), _ATTRIBUTES)):
        if part:
            for name, value in part.items():
                if (not value or value.isspace()) if value.__class__ is str else not says(value):
                    continue
                if name in known:
                    facts[name] = value
                elif len(name) <= LONGEST_NAME and _is_small(value):
                    facts[EXTRA + name] = value
    return Event(
        record.lead_id,
        happened.event_id,
        happened.type,
        at,
        facts,
        _campaign(json.get("campaign")),
        tuple([(word.purpose, micros(word.at) if word.at else at, word.granted) for word in happened.consent]),
        tuple(record.quality),
        json,
        record.received_at,
    )


def micros(at: datetime) -> int:
    """`at` (aware) in microseconds since the epoch, exactly."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def written(at: int) -> str:
    """`at` (microseconds since the epoch) as records have it: RFC 3339 in UTC, a fraction only where there is one."""
    second, fraction = divmod(at, 1_000_000)
    return f"{_second(second)}.{fraction:06}Z" if fraction else f"{_second(second)}Z"


@lru_cache(maxsize=10_000)
def _second(second: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))


def says(value: Any) -> bool:
    """Whether `value` tells anything: null, blank text, empty lists and mappings do not, nor do absurd numbers."""
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    if isinstance(value, int):
        return -_LARGEST <= value <= _LARGEST
    return value is not None and value != [] and value != {}


def _campaign(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not part:
        return None
    found = {name: part[name] for name in _CAMPAIGN if name in part and says(part[name])}
    for name in sorted(part):
        if name not in _CAMPAIGN and len(name) <= LONGEST_NAME and says(part[name]) and _is_small(part[name]):
            found[name] = part[name]
            if len(found) == 2 * len(_CAMPAIGN):
                break
    return found or None


def _is_small(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_EXTRA // 4 or len(value.encode()) <= LONGEST_EXTRA
    try:
        return len(msgspec.msgpack.encode(value)) <= LONGEST_EXTRA
    except OverflowError:  # a number of more than 64 bits
        return False
