"""Who of the eligible is next. Pure, in whole numbers: no rounding, so no drift.

Weighted round robin is the chairman assignment problem (R. Tijdeman, Discrete Mathematics 32, 1980): with the share
λ = w/W of each candidate there is always an order in which, after every n leads, each has n·λ to within one lead. In
such an order the j-th lead of a candidate may come as soon as ⌈n·λ⌉ ≥ j and must have come once ⌊n·λ⌋ ≥ j. Those are
unit jobs with a release time and a deadline on one machine, and for these earliest deadline first finds the order
wherever there is one; Tijdeman's theorem says that there is. Ties may be broken at will: the longest without a lead
goes first. See docs/decisions/exact-round-robin.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

NEVER = -1


@dataclass(frozen=True, slots=True)
class Seat:
    """An eligible candidate of a queue.

    `had`: leads since the candidates of the queue last changed. `last`: the queue's turn at which the last lead came,
    `NEVER` where none did. `open`: leads held now, of all queues.
    """

    rep: str
    weight: int
    had: int = 0
    last: int = NEVER
    open: int = 0


def due(seat: Seat, total_weight: int) -> int:
    """Number of the lead by which the next one of `seat` must have come, counted from the last change."""
    return -(-(seat.had + 1) * total_weight // seat.weight)


def may_take(seat: Seat, total_weight: int, turn: int) -> bool:
    """Whether lead number `turn` leaves `seat` within its upper quota."""
    return seat.had * total_weight < turn * seat.weight


def weighted_round_robin(seats: Sequence[Seat]) -> Seat:
    """The next of `seats` (at least one), exact after every lead."""
    total = sum(seat.weight for seat in seats)
    turn = sum(seat.had for seat in seats) + 1
    return min(
        (seat for seat in seats if may_take(seat, total, turn)),
        key=lambda seat: (due(seat, total), seat.last, seat.rep),
    )


def load(seat: Seat) -> Fraction:
    """Open leads a unit of weight."""
    return Fraction(seat.open, seat.weight)


def least_loaded(seats: Sequence[Seat]) -> Seat:
    """The one of `seats` that holds least for its weight; of equals the longest without a lead."""
    return min(seats, key=lambda seat: (load(seat), seat.last, seat.rep))


def direct(seats: Sequence[Seat]) -> Seat:
    """The first of `seats`, in the order in which the pool names them."""
    return seats[0]
