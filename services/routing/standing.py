"""How reps and queues stand at a moment: what a decision reads and what it changes.

A `Book` is the working copy of one transaction; the ledger reads it under lock and writes it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from services.routing.calendars import local_day
from services.routing.distribution import NEVER, Seat
from services.routing.roster import Rep

Seats = tuple[tuple[str, int], ...]
"""Candidates (rep, weight) that a queue's counts are kept for, in the order of the ids."""


@dataclass(slots=True)
class RepStanding:
    """`open`: leads offered or accepted and not closed. `taken`: leads given on `day`. `away`: why not at work."""

    open: int = 0
    day: date | None = None
    taken: int = 0
    away: str | None = None
    away_until: float | None = None

    def taken_on(self, day: date) -> int:
        """Leads given on `day`."""
        return self.taken if self.day == day else 0


@dataclass(slots=True)
class QueueStanding:
    """`turn`: leads that came so far; `given`: leads that a rep got. `had` counts since `seats` last changed.

    `last`: value of `given` when each rep got the last lead of the queue; kept when the candidates change.
    """

    turn: int = 0
    given: int = 0
    seats: Seats = ()
    had: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """Standings at `now` (seconds since the epoch)."""

    now: float
    reps: dict[str, RepStanding] = field(default_factory=dict)
    queues: dict[str, QueueStanding] = field(default_factory=dict)
    closed: dict[str, str | None] = field(default_factory=dict, repr=False)

    def rep(self, name: str) -> RepStanding:
        """Standing of a rep; a new one starts at nothing."""
        return self.reps.setdefault(name, RepStanding())

    def queue(self, name: str) -> QueueStanding:
        """Standing of a queue; a new one starts at nothing."""
        return self.queues.setdefault(name, QueueStanding())

    def hours(self, rep: Rep) -> str | None:
        """Why `rep` is not at work by the calendar; None where they are. Looked up once a book."""
        if rep.calendar is None:
            return None
        if rep.calendar.id not in self.closed:
            self.closed[rep.calendar.id] = rep.calendar.closed(self.now)
        return self.closed[rep.calendar.id]

    def seats(self, queue: str, eligible: list[Rep]) -> list[Seat]:
        """The seats of `eligible`, in that order: level where the candidates are not those that were counted."""
        at = self.queue(queue)
        had = at.had if at.seats == seats_of(eligible) else {}
        return [
            Seat(rep.id, rep.weight, had.get(rep.id, 0), at.last.get(rep.id, NEVER), self.rep(rep.id).open)
            for rep in eligible
        ]

    def came(self, queue: str) -> int:
        """Count a lead that came to `queue`; gives its turn."""
        at = self.queue(queue)
        at.turn += 1
        return at.turn

    def give(self, queue: str, rep: Rep, counted: Seats | None) -> None:
        """Count a lead that `rep` gets. `counted`: the candidates that shared it; None where it is no one's turn."""
        at = self.queue(queue)
        at.given += 1
        if counted is not None:
            if at.seats != counted:
                at.seats, at.had = counted, {}
            at.had[rep.id] = at.had.get(rep.id, 0) + 1
        at.last[rep.id] = at.given
        standing, day = self.rep(rep.id), local_day(rep.calendar, self.now)
        standing.taken, standing.day = standing.taken_on(day) + 1, day
        standing.open += 1

    def release(self, rep: str) -> None:
        """Count that `rep` holds one lead less."""
        standing = self.rep(rep)
        standing.open = max(0, standing.open - 1)


def seats_of(reps: list[Rep]) -> Seats:
    """The candidates, as counts are kept for them."""
    return tuple(sorted((rep.id, rep.weight) for rep in reps))
