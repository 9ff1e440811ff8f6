"""What a person does before they ask for sales: journeys of days, told in seconds. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from baton.demo.people import Person, person

Door = Literal["events", "form", "google"]
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: `after` seconds from the journey's start, through which door, and what is sent.

    `ago` seconds is how long before that moment it happened: what is found out later comes late.
    """

    after: float
    door: Door
    event_id: str
    body: dict[str, Any] = field(default_factory=dict)
    ago: float = 0.0


@dataclass(frozen=True, slots=True)
class Journey:
    """A person and their steps, in the order in which they are sent."""

    person: Person
    steps: tuple[Step, ...]


def journey(seed: int, number: int, *, eager: bool = False) -> Journey:
    """The journey of person `number`; an `eager` one asks for a demo at once."""
    who = person(seed, number)
    chance = Random(f"journey:{seed}:{number}")
    tell = _DEMO if eager else chance.choices(*zip(*_STORIES, strict=True))[0]
    return Journey(who, tuple(_steps(seed, who, chance, tell, eager=eager)))


_Story = tuple[str, ...]
_DEMO: _Story = ("page:/pricing", "demo")
_STORIES: tuple[tuple[_Story, int], ...] = (
    (("ad", "page:/", "page:/product", "page:/pricing", "content", "form"), 22),
    (("page:/blog/handoff", "page:/product", "newsletter", "webinar", "page:/pricing", "demo"), 14),
    (("ad", "page:/pricing", "page:/pricing/teams", "demo"), 14),
    (("google",), 16),
    (("ad", "page:/product", "google", "email", "page:/pricing"), 8),
    (("page:/", "page:/blog/handoff"), 20),
    (("page:/careers", "form"), 4),
    (("form", "unsubscribed"), 1),
    (("test",), 1),
)
"""What people do, and how often of a hundred."""


def _steps(seed: int, who: Person, chance: Random, story: _Story, *, eager: bool) -> list[Step]:
    steps: list[Step] = []
    after = 0.0
    campaign = chance.choice(_CAMPAIGNS)
    for index, scene in enumerate(story):
        kind, _, detail = scene.partition(":")
        event_id = f"demo-{seed:x}-{who.number}-{index}"
        door, body, ago = _SCENES[kind](who, detail, campaign, chance)
        steps.append(Step(after, door, event_id, body, ago))
        after += 0.3 if eager else chance.uniform(1.0, 6.0)
    return steps


_CAMPAIGNS: tuple[dict[str, str], ...] = (
    {"source": "google", "medium": "cpc", "name": "handoff-search", "term": "lead routing"},
    {"source": "linkedin", "medium": "paid", "name": "revops-autumn"},
    {"source": "newsletter", "medium": "email", "name": "monthly"},
    {"source": "google", "medium": "organic"},
)
_CONTENT = ("lead-routing-guide", "speed-to-lead-report", "scoring-workbook")

_Scene = Callable[[Person, str, dict[str, str], Random], tuple[Door, dict[str, Any], float]]


def _attributes(who: Person) -> dict[str, Any]:
    return {
        "first_name": who.first_name,
        "last_name": who.last_name,
        "job_title": who.title,
        "company": who.company.name,
        "employees": who.company.employees,
        "industry": who.company.industry,
        "country": who.company.country,
    }


def _event(kind: str, who: Person, *, known: bool, **more: Any) -> dict[str, Any]:
    subject = {"anonymous_id": who.anonymous_id} | ({"email": who.email} if known else {})
    return {"type": kind, "subject": subject, **more}


def _page(who: Person, path: str, _campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    known = chance.random() < 0.4  # came by a link in a mail
    return "events", _event("page_viewed", who, known=known, properties={"path": path}), 0.0


def _ad(who: Person, _: str, campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    click = campaign | {"click_id": f"g{chance.getrandbits(48):x}"}
    return "events", _event("ad_clicked", who, known=False, campaign=click, properties={"path": "/"}), 0.0


def _newsletter(who: Person, _: str, campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    ago = chance.uniform(3, 20) * DAY
    return "events", _event("email_clicked", who, known=True, campaign=campaign, attributes=_attributes(who)), ago


def _email(who: Person, _: str, _campaign: dict[str, str], _chance: Random) -> tuple[Door, dict[str, Any], float]:
    return "events", _event("email_clicked", who, known=True), 0.0


def _content(who: Person, _: str, campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    properties = {"content": chance.choice(_CONTENT)}
    body = _event("content_downloaded", who, known=True, properties=properties, campaign=campaign)
    return "events", body | {"attributes": _attributes(who)}, 0.0


def _webinar(who: Person, _: str, _campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    body = _event("webinar_attended", who, known=True, properties={"title": "From lead to meeting"})
    return "events", body | {"attributes": _attributes(who)}, chance.uniform(1, 9) * DAY


def _demo(who: Person, _: str, campaign: dict[str, str], _chance: Random) -> tuple[Door, dict[str, Any], float]:
    consent = [{"purpose": "marketing_email", "granted": True, "basis": "consent"}]
    body = _event("demo_requested", who, known=True, campaign=campaign, consent=consent)
    return "events", body | {"attributes": _attributes(who), "properties": {"path": "/demo"}}, 0.0


def _unsubscribed(who: Person, _: str, _campaign: dict[str, str], _c: Random) -> tuple[Door, dict[str, Any], float]:
    consent = [{"purpose": "marketing_email", "granted": False}]
    return "events", _event("unsubscribed", who, known=True, consent=consent), 0.0


def _test(who: Person, _: str, _campaign: dict[str, str], _chance: Random) -> tuple[Door, dict[str, Any], float]:
    return "events", _event("demo_requested", who, known=True, attributes=_attributes(who), is_test=True), 0.0


def _form(who: Person, _: str, campaign: dict[str, str], _chance: Random) -> tuple[Door, dict[str, Any], float]:
    fields = _attributes(who) | {"email": who.email, "anonymous_id": who.anonymous_id, "form_id": "contact"}
    utm = {f"utm_{'campaign' if key == 'name' else key}": value for key, value in campaign.items()}
    return "form", fields | utm | {"path": "/contact"}, 0.0


def _google(who: Person, _: str, _campaign: dict[str, str], chance: Random) -> tuple[Door, dict[str, Any], float]:
    answers = {
        "FULL_NAME": f"{who.first_name} {who.last_name}",
        "WORK_EMAIL": who.email,
        "COMPANY_NAME": who.company.name,
        "JOB_TITLE": who.title,
        "COUNTRY": who.company.country,
    }
    columns = [{"column_id": name, "string_value": value} for name, value in answers.items()]
    columns.append({"column_name": "How many people work at your company?", "string_value": str(who.company.employees)})
    body = {
        "user_column_data": columns,
        "api_version": "1.0",
        "form_id": 40_000_000_001,
        "campaign_id": 21_000_000_123,
        "adgroup_id": 150_000_000_456,
        "creative_id": 690_000_000_789,
        "is_test": False,
        "gcl_id": f"E{chance.getrandbits(60):x}",
    }
    return "google", body, 0.0


_SCENES: dict[str, _Scene] = {
    "page": _page,
    "ad": _ad,
    "newsletter": _newsletter,
    "email": _email,
    "content": _content,
    "webinar": _webinar,
    "demo": _demo,
    "unsubscribed": _unsubscribed,
    "test": _test,
    "form": _form,
    "google": _google,
}
