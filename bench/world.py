"""The events that every peer works on: what ingest writes to `leads.events`, made up, the same in every run.

`active` leads are on their way at a time. Each does something once in a cycle, in an order that is shuffled, and is
followed by a new person after `STEPS` events; leads begin at different steps. So from the `STEPS`-th cycle on the work
of an event is the same whatever its place: profiles neither grow nor shrink on the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import gcd
from typing import Any, NamedTuple

import msgspec

from bench.people import Person, person
from schemas.headers import RECEIVED_AT, Headers, cloudevent, rfc3339
from schemas.ids import derived_id
from schemas.lead import LeadEvent

START = datetime(2026, 9, 7, 6, 0, tzinfo=UTC)
CYCLE = timedelta(hours=7)
LATE = timedelta(hours=30)
LATE_EVERY = 37  # events
STEPS = 6
_STRIDE = 7_919

Step = tuple[str, dict[str, Any]]


def _page(path: str, title: str) -> Step:
    url = f"https://www.vendor.example{path}?utm_id=7"
    return "page_viewed", {"path": path, "url": url, "title": title, "referrer": "https://www.google.com/"}


_CONTACT: Step = ("form_submitted", {"form_id": "contact", "path": "/contact", "message": "Please call me next week."})
_GUIDE: Step = ("form_submitted", {"form_id": "guide", "path": "/guides/routing"})
_AD: Step = ("ad_lead_submitted", {"form_id": "lead-ad-11", "platform": "google", "value": 12.5})
_CHAT: Step = ("chat_started", {"path": "/pricing", "topic": "seats"})
_WEBINAR: Step = ("webinar_attended", {"title": "Routing in practice", "minutes": 41})
_WEBINAR_START: Step = ("webinar_attended", {"title": "Routing in practice", "minutes": 7})
_PAPER: Step = ("content_downloaded", {"kind": "whitepaper", "title": "The state of lead routing"})
_SHEET: Step = ("content_downloaded", {"kind": "datasheet", "title": "Scoring datasheet"})
_CALCULATOR: Step = ("content_downloaded", {"kind": "roi-calculator", "title": "What a minute costs"})
_OPENED: Step = ("email_opened", {"message_id": "m-0917", "subject": "Faster handoffs"})
_CLICKED: Step = ("email_clicked", {"message_id": "m-0917", "url": "https://www.vendor.example/pricing?plan=team"})
_DEMO: Step = ("demo_requested", {"form_id": "demo", "path": "/demo"})
_GONE: Step = ("unsubscribed", {"message_id": "m-0917"})

_HOME, _PRICING, _TEAM = _page("/", "Home"), _page("/pricing", "Pricing"), _page("/pricing/team", "Team plan")
_ACME, _BOLT = _page("/customers/acme", "Acme"), _page("/case-studies/bolt", "Bolt")
_START, _API, _ROUTING = _page("/docs/start", "Start"), _page("/docs/api", "API"), _page("/docs/routing", "Routing")
_SPEED, _FAIR, _COMPARE = (
    _page("/blog/speed", "Speed"),
    _page("/blog/fair", "Fair"),
    _page("/compare/others", "Compare"),
)
_SECURITY, _GDPR = _page("/security", "Security"), _page("/gdpr", "GDPR")
_CAREERS, _BERLIN, _ABOUT = _page("/careers", "Careers"), _page("/careers/berlin", "Berlin"), _page("/about", "About")

JOURNEYS: tuple[tuple[Step, ...], ...] = (
    (_GUIDE, _ACME, _PRICING, _OPENED, _CLICKED, _TEAM),
    (_AD, _HOME, _START, _COMPARE, _CHAT, _CONTACT),
    (_CONTACT, _SECURITY, _PRICING, _WEBINAR, _PAPER, _DEMO),
    (_GUIDE, _OPENED, _SPEED, _FAIR, _OPENED, _GONE),
    (_AD, _BOLT, _SHEET, _OPENED, _API, _PRICING),
    (_GUIDE, _CAREERS, _ABOUT, _BERLIN, _OPENED, _WEBINAR_START),
    (_GUIDE, _CALCULATOR, _GDPR, _CLICKED, _ACME, _ROUTING),
    (_CONTACT, _HOME, _PRICING, _PRICING, _PRICING, _CHAT),
)
_FORMS = frozenset({"form_submitted", "ad_lead_submitted", "demo_requested"})


class LeadRecord(NamedTuple):
    """A record of `leads.events`. `timestamp` is in ms since the epoch."""

    key: bytes
    value: bytes
    headers: Headers
    timestamp: int


def records(count: int, active: int) -> Iterator[LeadRecord]:
    """The first `count` records of a world with `active` leads at a time. `event_id` of the n-th (from 0) is `e<n>`."""
    for n, who, step in doings(0, count, active):
        yield _record(n, who, step, START + CYCLE * n / active)


def doings(first: int, count: int, active: int) -> Iterator[tuple[int, Person, int]]:
    """Of `count` events from the `first`: its place in the world, who does something, and which step of theirs."""
    if gcd(_STRIDE, active) != 1:
        raise ValueError(f"{active} leads cannot be shuffled; take another number")
    people: dict[int, tuple[int, Person]] = {}
    for n in range(first, first + count):
        cycle, place = divmod(n, active)
        slot = (place * _STRIDE + cycle) % active
        generation, step = divmod(cycle + slot % STEPS, STEPS)
        known = people.get(slot)
        if known is None or known[0] != generation:
            known = people[slot] = (generation, person(generation * active + slot, len(JOURNEYS)))
        yield n, known[1], step


def number_of(event_id: str) -> int:
    """Place in the world of an event, from 0."""
    return int(event_id[1:])


def _record(n: int, who: Person, step: int, now: datetime) -> LeadRecord:
    kind, properties = JOURNEYS[who.journey][step]
    received = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
    happened = received - (LATE if n % LATE_EVERY == 0 else timedelta(milliseconds=340))
    event_id, form = f"e{n}", kind in _FORMS
    event: dict[str, Any] = {
        "schema_version": 1,
        "event_id": event_id,
        "type": kind,
        "occurred_at": rfc3339(happened),
        "source": "google-ads" if kind == "ad_lead_submitted" else "website",
        "received_at": rfc3339(received),
        "subject": who.subject if form else {"email": who.subject["email"]},
        "attributes": who.attributes if form else {},
        "properties": properties,
        "campaign": who.campaign if form or step == 1 else {},
        "consent": [{"purpose": "marketing_email", "granted": True, "basis": "consent"}] if form else [],
        "is_test": False,
    }
    value = {
        "schema_version": 1,
        "lead_id": who.lead,
        "event": event,
        "identity": {"kind": "email", "links": []},
        "quality": [],
        "received_at": rfc3339(received),
    }
    head = cloudevent(
        id=derived_id("lead_event", event_id), source="baton/ingest", type=LeadEvent.ce_type, time=happened
    )
    clocks = [(RECEIVED_AT, rfc3339(received).encode()), ("baton_ingested_at", rfc3339(received).encode())]
    return LeadRecord(who.lead.encode(), msgspec.json.encode(value), [*head, *clocks], int(received.timestamp() * 1000))
