"""Working hours: who is at work at a moment, and when a span of business time ends.

Times are seconds since the epoch. A day's hours are local wall time of the calendar's zone, so that a day of a clock
change is an hour longer or shorter, as it is for the people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

Span = tuple[int, int]
"""Minutes of a day, from and to; the end is not included."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_DAYS = 3 * 366
"""No business time of a lead reaches further."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody works. `hours`: the spans of each weekday, Monday first. `region` as ISO 3166: `DE`, `DE-BE`."""

    id: str
    zone: ZoneInfo
    hours: tuple[tuple[Span, ...], ...]
    off: holidays.HolidayBase | None = None

    def closed(self, now: float) -> str | None:
        """Why nobody works at `now`; None where they do."""
        local = datetime.fromtimestamp(now, self.zone)
        name = self.off.get(local.date()) if self.off is not None else None
        if name:
            return f"holiday in {self.id}: {name}"
        minute = local.hour * 60 + local.minute
        if any(start <= minute < end for start, end in self.hours[local.weekday()]):
            return None
        return f"outside of working hours in {self.id}"

    def spans(self, now: float) -> Iterator[tuple[float, float]]:
        """The spans of work from `now` on, in order; the first may have begun."""
        day = datetime.fromtimestamp(now, self.zone).date()
        for ahead in range(HORIZON_DAYS):
            at = day + timedelta(days=ahead)
            if self.off is not None and at in self.off:
                continue
            for start, end in self.hours[at.weekday()]:
                until = self._instant(at, end)
                if until > now:
                    yield max(now, self._instant(at, start)), until

    def _instant(self, day: date, minute: int) -> float:
        days, minute = divmod(minute, 24 * 60)
        hour, minute = divmod(minute, 60)
        return datetime.combine(day + timedelta(days=days), time(hour, minute), self.zone).timestamp()


def after(calendar: Calendar | None, now: float, seconds: float) -> float:
    """The moment at which `seconds` of business time have passed since `now`; without a calendar all time counts.

    Raises ValueError where the calendar has no such time within three years.
    """
    if calendar is None:
        return now + seconds
    left = seconds
    for start, end in calendar.spans(now):
        if start + left <= end:
            return start + left
        left -= end - start
    raise ValueError(f"calendar {calendar.id} has no {seconds:.0f} s of work within three years")


def instant(seconds: float) -> datetime:
    """The point in time so many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def local_day(calendar: Calendar | None, now: float) -> date:
    """The date that `now` falls on for those who work by `calendar`; UTC without one."""
    return datetime.fromtimestamp(now, UTC if calendar is None else calendar.zone).date()


def days(text: str) -> Sequence[int]:
    """Weekdays (0 is Monday) that `mon`, `mon-fri` or `sat,sun` name. Raises ValueError."""
    found: list[int] = []
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"'{part.strip()}' names no weekdays")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += range(start, end + 1) if start <= end else [*range(start, 7), *range(end + 1)]
    return found


def spans(text: str) -> tuple[Span, ...]:
    """Spans of a day that `09:00-17:30` or `09:00-12:00, 13:00-17:00` names. Raises ValueError."""
    found = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        start, end = _minute(first), _minute(last)
        if end <= start:
            raise ValueError(f"'{part.strip()}' ends before it begins")
        found.append((start, end))
    found.sort()
    if any(one[1] > other[0] for one, other in pairwise(found)):
        raise ValueError(f"the spans of '{text}' overlap")
    return tuple(found)


def _minute(text: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        raise ValueError(f"'{text.strip()}' is no time of day")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > 24 * 60:
        raise ValueError(f"'{text.strip()}' is no time of day")
    return value


def public_holidays(region: str) -> holidays.HolidayBase:
    """Public holidays of `DE` or `DE-BE`. Raises ValueError where none are known."""
    country, _, subdivision = region.partition("-")
    try:
        # In English, not in whatever language the process's locale has: the names stand in decisions.
        return holidays.country_holidays(country, subdiv=subdivision or None, language="en_US")
    except NotImplementedError as exc:
        raise ValueError(f"no public holidays are known for '{region}'") from exc
