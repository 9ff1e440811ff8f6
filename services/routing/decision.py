"""Where a lead goes, and who gets it. Pure: the same lead, plan, standings and time give the same decision.

`triage` finds the rule, `place` the rep, `route` does both. Standings change only when the decision is counted
(`count`), so a decision can be asked for without being taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from services.routing import distribution
from services.routing.calendars import after
from services.routing.distribution import Seat
from services.routing.eligibility import obstacle, refusal
from services.routing.plan import Plan, Queue, Rule
from services.routing.roster import Rep
from services.routing.standing import Book, Seats, seats_of


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Nobody gets the lead, and why."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A candidate who was looked at. `standing`: what the method compared; the lowest goes first."""

    rep: str
    eligible: bool
    reason: str
    standing: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Who gets a lead of `queue`: `rep` None where it waits.

    `respond_by` in seconds since the epoch; None where the queue sets no time. `shared`: the candidates whose shares
    the lead counts for; None where it counts for nobody's (it waits, or is offered again after a refusal).
    """

    queue: str
    rep: Rep | None
    method: str
    candidates: tuple[Looked, ...]
    reason: str
    respond_by: float | None = None
    shared: Seats | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The rule that matched, and the placement in its queue."""

    rule: Rule
    placement: Placement


def triage(lead: Any, plan: Plan, now: float) -> Suppressed | Rule:
    """The first suppression that holds, else the first rule that matches `lead` (a `ScoredLead`)."""
    for one in plan.suppress:
        if one.holds(lead, now):
            return Suppressed(one.id, one.reason)
    return next(rule for rule in plan.rules if rule.holds(lead, now))


def place(queue: Queue, book: Book, declined: Collection[str] = ()) -> Placement:
    """Who of `queue` gets a lead at the time of `book`. Those in `declined` do not get it again."""
    obstacles = {rep.id: obstacle(rep, queue.skills, book) for rep in queue.members}
    eligible = [rep for rep in queue.members if obstacles[rep.id] is None]
    willing = [rep for rep in eligible if refusal(rep, declined) is None]
    seats = {seat.rep: seat for seat in book.seats(queue.id, eligible)}
    if not willing:
        reason = "nobody is available" if not eligible else "everybody available has declined"
        looked = tuple(_looked(rep, None, seats, obstacles, declined, queue.method) for rep in queue.members)
        return Placement(queue.id, None, queue.method, looked, reason)
    chosen = _choose(queue.method, [seats[rep.id] for rep in willing], first=len(willing) == len(eligible))
    rep = next(rep for rep in willing if rep.id == chosen.rep)
    respond_by = None if queue.offer is None else after(rep.calendar, book.now, queue.offer.within)
    looked = tuple(_looked(one, rep, seats, obstacles, declined, queue.method) for one in queue.members)
    reason = next(one.reason for one in looked if one.rep == rep.id)
    shared = seats_of(eligible) if len(willing) == len(eligible) else None
    return Placement(queue.id, rep, queue.method, looked, reason, respond_by, shared)


def route(lead: Any, plan: Plan, book: Book) -> Suppressed | Decision:
    """What becomes of a lead that has no assignment yet. Counts nothing; see `count`."""
    found = triage(lead, plan, book.now)
    if isinstance(found, Suppressed):
        return found
    return Decision(found, place(plan.queues[found.queue], book))


def count(placement: Placement, book: Book) -> None:
    """Take the placement: the standings of `book` change."""
    if placement.rep is not None:
        book.give(placement.queue, placement.rep, placement.shared)


def _choose(method: str, seats: list[Seat], *, first: bool) -> Seat:
    if method == "least_loaded":
        return distribution.least_loaded(seats)
    if method == "direct":
        return distribution.direct(seats)
    if first:
        return distribution.weighted_round_robin(seats)
    # Offered again after a refusal: in the same order, but no share counts it, so no quota bounds it either.
    total = sum(seat.weight for seat in seats)
    return min(seats, key=lambda seat: (distribution.due(seat, total), seat.last, seat.rep))


def _looked(
    rep: Rep,
    chosen: Rep | None,
    seats: dict[str, Seat],
    obstacles: dict[str, str | None],
    declined: Collection[str],
    method: str,
) -> Looked:
    why_not = obstacles[rep.id] or refusal(rep, declined)
    if why_not is not None:
        return Looked(rep.id, eligible=False, reason=why_not)
    seat, mine = seats[rep.id], chosen is not None and chosen.id == rep.id
    if method == "direct":
        position = list(seats).index(rep.id)
        return Looked(
            rep.id,
            eligible=True,
            reason="first available of the list" if mine else "stands further down",
            standing=position,
        )
    if method == "least_loaded":
        held = f"holds {seat.open} at weight {seat.weight}"
        return Looked(
            rep.id,
            eligible=True,
            reason=f"least loaded: {held}" if mine else held,
            standing=float(distribution.load(seat)),
        )
    total = sum(one.weight for one in seats.values())
    had = sum(one.had for one in seats.values())
    due = distribution.due(seat, total)
    share = f"had {seat.had} of {had}, share {seat.weight} of {total}, next due by lead {due}"
    if mine:
        return Looked(rep.id, eligible=True, reason=f"next in turn: {share}", standing=due)
    if not distribution.may_take(seat, total, had + 1):
        return Looked(rep.id, eligible=True, reason=f"is ahead of the share: {share}", standing=due)
    return Looked(rep.id, eligible=True, reason=share, standing=due)
