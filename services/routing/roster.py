"""The people of sales, and when they work: `roster.yaml`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from rules.document import Document, validated
from rules.document import load as load_document
from rules.faults import Fault, FaultyConfiguration
from rules.spelling import mend_for
from services.routing.calendars import Calendar, Span, days, public_holidays, spans
from services.routing.declared import CalendarKeys, RepKeys, RosterKeys


@dataclass(frozen=True, slots=True)
class Rep:
    """One person of sales. `capacity` and `daily_cap` None: no limit. `calendar` None: always at work."""

    id: str
    team: str
    weight: int = 1
    name: str = ""
    email: str | None = None
    capacity: int | None = None
    daily_cap: int | None = None
    calendar: Calendar | None = None
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody, in the order of the file."""

    reps: Mapping[str, Rep]
    hash: str
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


def load(path: Path) -> Roster:
    """Read `roster.yaml`. Raises `FaultyConfiguration` with every fault."""
    document = load_document(path)
    return read(document)


def read(document: Document) -> Roster:
    """The roster that `document` declares. Raises `FaultyConfiguration` with every fault."""
    keys = validated(document, RosterKeys)
    faults: list[Fault] = []
    calendars = {name: _calendar(name, declared, document, faults) for name, declared in keys.calendars.items()}
    reps: dict[str, Rep] = {}
    for index, declared in enumerate(keys.reps):
        loc = ("reps", index)
        if declared.id in reps:
            faults.append(document.fault((*loc, "id"), f"the rep `{declared.id}` stands here twice", "Rename one."))
        if declared.weight <= 0:
            mend = "Write 1 or more; to take somebody out, remove the rep or set them unavailable."
            faults.append(document.fault((*loc, "weight"), f"the weight {declared.weight} is not above zero", mend))
        if declared.calendar is not None and declared.calendar not in calendars:
            mend = mend_for(declared.calendar, calendars)
            faults.append(document.fault((*loc, "calendar"), f"unknown calendar `{declared.calendar}`", mend))
        reps[declared.id] = _rep(declared, calendars)
    if not keys.reps:
        faults.append(document.fault(("reps",), "nobody is on the roster", "Add at least one rep."))
    if faults:
        raise FaultyConfiguration(faults)
    return Roster(reps, document.digest, {name: one for name, one in calendars.items() if one is not None})


def _rep(keys: RepKeys, calendars: Mapping[str, Calendar | None]) -> Rep:
    return Rep(
        id=keys.id,
        team=keys.team,
        weight=keys.weight,
        name=keys.name or keys.id,
        email=keys.email,
        capacity=keys.capacity,
        daily_cap=keys.daily_cap,
        calendar=calendars.get(keys.calendar or ""),
        skills=frozenset(keys.skills),
    )


def _calendar(name: str, keys: CalendarKeys, document: Document, faults: list[Fault]) -> Calendar | None:
    loc = ("calendars", name)
    before = len(faults)
    zone, off = ZoneInfo("UTC"), None
    try:
        zone = ZoneInfo(keys.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        mend = "Use a name of the tz database, such as Europe/Berlin or UTC."
        faults.append(document.fault((*loc, "zone"), f"unknown zone `{keys.zone}`", mend))
    try:
        off = _holidays(keys)
    except ValueError as exc:
        mend = "Write a country as ISO 3166 has it, with its subdivision where there is one: DE, DE-BE, US-CA."
        faults.append(document.fault((*loc, "holidays"), str(exc), mend))
    week: list[list[Span]] = [[] for _ in range(7)]
    for which, text in keys.hours.items():
        try:
            for day in days(which):
                week[day] += spans(text)
        except ValueError as exc:
            mend = "Write weekdays and times as in `mon-fri: '09:00-12:00, 13:00-17:30'`."
            faults.append(document.fault((*loc, "hours", which), str(exc), mend))
    if len(faults) == before and not any(week):
        faults.append(document.fault((*loc, "hours"), f"nobody ever works in `{name}`", "Add hours, or take it out."))
    if len(faults) > before:
        return None
    return Calendar(name, zone, tuple(tuple(sorted(day)) for day in week), off)


def _holidays(keys: CalendarKeys) -> holidays.HolidayBase | None:
    return None if keys.holidays is None else public_holidays(keys.holidays)
