"""What the tests of scoring share: a small ruleset whose worths are easy to compute by hand, and events for it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from rules.document import parse
from schemas.fast import lead_event
from services.scoring import ruleset as rulesets
from services.scoring.event import Event, event_of
from services.scoring.profile import Profile
from services.scoring.rulebook import Ruleset
from services.scoring.score import NOBODY, score

START = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)  # a Monday

RULES = r"""
version: 1
fit:
  max: 100
  rules:
    - {id: boss, when: {field: person.seniority, in: [founder, c_level, vp]}, points: 30, group: person}
    - {id: seller, when: {field: person.function, equals: sales}, points: 20, group: person}
    - {id: big, when: {field: person.employees, gte: 1000}, points: 40}
    - {id: free-mail, when: {field: person.email_kind, equals: free}, points: -20}
    - {id: by-search, when: {field: campaign.first.source, equals: google}, points: 5}
    - {id: may-mail, when: {field: consent.marketing_email, equals: true}, points: 5}
  groups: {person: {max: 40}}
engagement:
  max: 100
  rules:
    - {id: pricing, on: page_viewed, when: {field: event.properties.path, starts_with: /pricing}, points: 16,
       decay: {half_life: 7d}, limit: {times: 3, per: 1d}}
    - {id: page, on: page_viewed, points: 3, decay: {half_life: 7d}, group: reading}
    - {id: webinar, on: webinar_attended, points: 20, decay: {linear: 60d}}
    - {id: demo, on: demo_requested, points: 60, decay: {window: 30d}}
    - {id: form, on: form_submitted, points: 10}
    - {id: gone, on: unsubscribed, points: -50}
  groups: {reading: {max: 8}}
grade:
  fit: {A: 75, B: 50, C: 25}
  engagement: {1: 75, 2: 50, 3: 25}
segments:
  - {id: enterprise, when: {field: person.employees, gte: 1000}}
  - {id: keen, when: {field: engagement, gte: 50}}
qualify:
  mql: {any: [{field: grade, in: [A1, A2, B1]}, {field: engagement, gte: 90}]}
  hand_raise: [demo_requested]
recycle: {cool_down: 30d}
"""


def rules_of(text: str) -> Ruleset:
    return rulesets.read(parse(text, "scoring.yaml"))


RULESET = rules_of(RULES)


def value(
    event_id: str = "e1",
    kind: str = "page_viewed",
    at: datetime | str = START,
    lead: str = "lead-1",
    quality: Iterable[str] = (),
    **event: Any,
) -> bytes:
    """The JSON of a `LeadEvent`."""
    at = at if isinstance(at, str) else at.isoformat().replace("+00:00", "Z")
    event = {"event_id": event_id, "type": kind, "occurred_at": at, "source": "website", **event}
    identity = {"kind": "email", "links": []}
    record = {"lead_id": lead, "event": event, "identity": identity, "quality": list(quality), "received_at": at}
    return json.dumps(record).encode()


def lead(event_id: str = "e1", kind: str = "page_viewed", after: timedelta = timedelta(0), **event: Any) -> Event:
    """An `Event`, so long after the start."""
    return event_of(lead_event(value(event_id, kind, START + after, **event)))


class Line(msgspec.Struct):
    """A line of an explanation."""

    rule: str
    kind: str
    points: float
    from_points: float
    detail: str


class Move(msgspec.Struct):
    """A transition."""

    from_: str = msgspec.field(name="from")
    to: str
    reason: str


class Record(msgspec.Struct, forbid_unknown_fields=True):
    """What goes out, read again."""

    schema_version: int
    lead_id: str
    event_id: str
    fit: float
    engagement: float
    grade: str
    stage: str
    segments: list[str]
    explanation: list[Line]
    person: dict[str, Any]
    campaign: dict[str, Any]
    consent: dict[str, bool]
    quality: list[str]
    rules_hash: str
    as_of: datetime
    transition: Move | None = None


def written(events: Iterable[Event], ruleset: Ruleset = RULESET) -> tuple[list[bytes], Profile]:
    """The bytes of every record that `events`, in this order, make of a new lead, and the profile."""
    lead = NOBODY
    records: list[bytes] = []
    for event in events:
        result = score(lead, event, ruleset)
        if result is not None:
            lead = result[0]
            records.append(result[1].to_json())
    return records, lead.profile


def scored(events: Iterable[Event], ruleset: Ruleset = RULESET) -> tuple[list[Record], Profile]:
    """As `written`, with the records read again."""
    records, profile = written(events, ruleset)
    return [msgspec.json.decode(record, type=Record) for record in records], profile


def points(record: Record, kind: str | None = None) -> dict[str, float]:
    """Points by rule."""
    return {line.rule: line.points for line in record.explanation if kind in (None, line.kind)}
