"""Whether a rep may get a lead now, and why not. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from services.routing.calendars import local_day
from services.routing.roster import Rep
from services.routing.standing import Book

DECLINED = "declined this lead or let it expire"


def obstacle(rep: Rep, skills: frozenset[str], book: Book) -> str | None:
    """What keeps `rep` from any lead that needs `skills` at the time of `book`; None where nothing does."""
    lacking = skills - rep.skills
    if lacking:
        return f"lacks the skill {', '.join(sorted(lacking))}"
    standing = book.rep(rep.id)
    if standing.away is not None and (standing.away_until is None or book.now < standing.away_until):
        until = "" if standing.away_until is None else f" until {_utc(standing.away_until)}"
        return f"away{until}: {standing.away}" if standing.away else f"away{until}"
    closed = book.hours(rep)
    if closed is not None:
        return closed
    if rep.capacity is not None and standing.open >= rep.capacity:
        return f"at capacity: holds {standing.open} of {rep.capacity}"
    if rep.daily_cap is not None:
        taken = standing.taken_on(local_day(rep.calendar, book.now))
        if taken >= rep.daily_cap:
            return f"daily cap reached: {taken} of {rep.daily_cap}"
    return None


def refusal(rep: Rep, declined: Collection[str]) -> str | None:
    """Why this one lead does not go to `rep` again; None where nothing speaks against it."""
    return DECLINED if rep.id in declined else None


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
