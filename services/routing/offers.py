"""What follows when an offer is refused or runs out, and when somebody comes free for a waiting lead. Pure.

Each function gives the assignment as it stands afterwards and the steps that led there, one a sequence number. The
standings of the book change with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.routed import AssignmentStatus
from services.routing.decision import Placement, count, place
from services.routing.plan import Plan, Queue
from services.routing.standing import Book

EVERYBODY = "everybody of the pool has declined or let it expire"
OPEN = ("offered", "accepted")
"""Statuses in which a rep holds the lead."""


@dataclass(frozen=True, slots=True)
class Held:
    """An assignment as it stands. Times in seconds since the epoch; `entered_at`: when it came to its queue.

    `tries`: offers so far. `declined`: who is not asked again. `escalated`: a person has to decide, no timer does.
    """

    assignment_id: str
    lead_id: str
    queue: str
    rep: str | None
    status: AssignmentStatus
    sequence: int
    turn: int
    entered_at: float
    tries: int = 0
    declined: frozenset[str] = frozenset()
    escalated: bool = False
    respond_by: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change of an assignment. `placement`: the decision behind it, where there was one."""

    sequence: int
    queue: str
    rep: str | None
    status: AssignmentStatus
    reason: str
    placement: Placement | None = None
    turn: int = 0


Followed = tuple[Held, Sequence[Step]]


def begin(assignment_id: str, lead_id: str, placement: Placement, book: Book) -> Followed:
    """A new assignment: offered to the rep of `placement`, or waiting."""
    turn = book.came(placement.queue)
    held = Held(assignment_id, lead_id, placement.queue, None, "waiting", 0, turn, book.now)
    return _placed(held, placement, book)


def refused(held: Held, status: Literal["declined", "expired"], reason: str, plan: Plan, book: Book) -> Followed:
    """The rep declined, or let the offer run out: the next one is asked, while tries and people are left."""
    gone, first = _given_up(held, status, reason, book)
    queue = plan.queues.get(gone.queue)
    if queue is None:
        after, then = _wait(gone, "its queue is no more")
    elif gone.escalated:
        after, then = _wait(gone, "the manager does not take it: a person has to decide")
    elif queue.offer is not None and gone.tries >= queue.offer.tries:
        after, then = _used_up(gone, queue, f"offered {gone.tries} times without success", book)
    elif nobody_left(gone, queue):
        after, then = _used_up(gone, queue, EVERYBODY, book)
    else:
        after, then = _placed(gone, place(queue, book, gone.declined), book)
    return after, [first, *then]


def retried(held: Held, plan: Plan, book: Book) -> Followed:
    """A waiting lead once more: given to whoever is free now, or moved where it waited for too long."""
    queue = plan.queues.get(held.queue)
    if held.escalated:
        return held, []
    if queue is None:
        return _moved(held, plan.queues[plan.rules[-1].queue], book, f"{held.queue} is no more: ")
    placement = place(queue, book, held.declined)
    if placement.rep is not None:
        return _placed(held, placement, book)
    if queue.goes_to_manager and nobody_left(held, queue):  # those who were left are of the pool no more
        return _used_up(held, queue, EVERYBODY, book)
    if queue.overflow is None or book.now < held.entered_at + queue.overflow.after:
        return held, []
    return _moved(held, plan.queues[queue.overflow.to], book, f"waited too long in {queue.id}: ")


def accepted(held: Held, reason: str) -> Followed:
    """The rep takes the lead."""
    after = replace(held, status="accepted", sequence=held.sequence + 1, respond_by=None)
    return after, [Step(after.sequence, after.queue, after.rep, "accepted", reason)]


def closed(held: Held, reason: str, book: Book) -> Followed:
    """The work on the lead has ended."""
    if held.rep is not None and held.status in OPEN:
        book.release(held.rep)
    after = replace(held, status="closed", sequence=held.sequence + 1, respond_by=None)
    return after, [Step(after.sequence, after.queue, after.rep, "closed", reason)]


def nobody_left(held: Held, queue: Queue) -> bool:
    """Whether everybody who could ever get the lead in `queue` was asked; those who are away now were not."""
    return bool(queue.askable) and queue.askable <= held.declined


def _given_up(held: Held, status: Literal["declined", "expired"], reason: str, book: Book) -> tuple[Held, Step]:
    declined = held.declined
    if held.rep is not None:
        book.release(held.rep)
        declined = declined | {held.rep}
    gone = replace(held, rep=None, status=status, sequence=held.sequence + 1, declined=declined, respond_by=None)
    return gone, Step(gone.sequence, gone.queue, held.rep, status, reason)


def _used_up(held: Held, queue: Queue, why: str, book: Book) -> Followed:
    if not queue.goes_to_manager:
        return _wait(replace(held, tries=0), f"{why}: waits for somebody who was not asked yet")
    if queue.manager is None or queue.manager in held.declined:
        return _wait(replace(held, escalated=True), f"{why}: a manager has to decide")
    manager = next((rep for rep in queue.members if rep.id == queue.manager), None)
    book.rep(queue.manager).open += 1 if manager is None else 0
    if manager is not None:
        book.give(queue.id, manager, None)
    after = replace(held, rep=queue.manager, status="offered", sequence=held.sequence + 1, escalated=True)
    return after, [Step(after.sequence, after.queue, after.rep, "offered", f"{why}: goes to the manager")]


def _moved(held: Held, to: Queue, book: Book, because: str) -> Followed:
    moved = replace(held, queue=to.id, turn=book.came(to.id), entered_at=book.now, declined=frozenset(), tries=0)
    return _placed(moved, place(to, book), book, because)


def _wait(held: Held, reason: str) -> Followed:
    after = replace(held, rep=None, status="waiting", sequence=held.sequence + 1)
    return after, [Step(after.sequence, after.queue, None, "waiting", reason)]


def _placed(held: Held, placement: Placement, book: Book, because: str = "") -> Followed:
    count(placement, book)
    status: AssignmentStatus = "waiting" if placement.rep is None else "offered"
    after = replace(
        held,
        rep=None if placement.rep is None else placement.rep.id,
        status=status,
        sequence=held.sequence + 1,
        tries=held.tries + (placement.rep is not None),
        respond_by=placement.respond_by,
    )
    step = Step(after.sequence, after.queue, after.rep, status, because + placement.reason, placement, after.turn)
    return after, [step]
