"""What people do, as their senders tell it to the door: the bench's world, as marketing events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from bench.people import Person
from bench.world import JOURNEYS, doings

ACTIVE = 2_003
"""Leads on their way at a time: each does something every few seconds."""
SOURCE = "events"
_FORMS = frozenset({"form_submitted", "ad_lead_submitted", "demo_requested"})


def bodies(run: str, first: int, count: int) -> Iterator[bytes]:
    """`count` events from the `first`, as JSON that lacks its opening brace and `occurred_at` (see `event`)."""
    for n, who, step in doings(first, count, ACTIVE):
        yield msgspec.json.encode(_event(f"{run}-{n}", who, step))[1:]


def event(body: bytes, occurred_at: str) -> bytes:
    """A whole event of one of the `bodies`."""
    return b'{"occurred_at":"%b",%b' % (occurred_at.encode(), body)


def _event(event_id: str, who: Person, step: int) -> dict[str, Any]:
    kind, properties = JOURNEYS[who.journey][step]
    form = kind in _FORMS
    told: dict[str, Any] = {
        "event_id": event_id,
        "type": kind,
        "source": SOURCE,
        "subject": who.subject if form else {"email": who.subject["email"]},
        "properties": properties,
    }
    if form:
        told["attributes"] = who.attributes
        told["consent"] = [{"purpose": "marketing_email", "granted": True, "basis": "consent"}]
    if form or step == 1:
        told["campaign"] = who.campaign
    return told
