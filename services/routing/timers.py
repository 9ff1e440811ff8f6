"""What happens without a record: offers run out, somebody comes free for a waiting lead, a lead overflows.

One worker at a time does this, under an advisory lock. Rows that a person's answer holds at the moment are passed over
and come up again at the next tick.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import time
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select, text, true, tuple_
from sqlalchemy.exc import SQLAlchemyError

from services.routing import offers
from services.routing.background import Background
from services.routing.calendars import instant
from services.routing.eligibility import obstacle
from services.routing.ledger import Ledger, Unit, book
from services.routing.ledger.changes import Changes, Taken, take
from services.routing.ledger.models import AssignmentRow
from services.routing.offers import Followed
from services.routing.plan import Plan
from services.routing.standing import Book
from streaming import metrics
from streaming.stage import TransientError

log = logging.getLogger(__name__)

PAGE = 200
EVERY_SECONDS = 1.0
LOCK = 0x74696D657273  # "timers"
_TAKE_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_COUNTS = (
    select(
        AssignmentRow.queue,
        AssignmentRow.status,
        AssignmentRow.escalated,
        func.count(),
        func.min(AssignmentRow.entered_at),
        func.min(AssignmentRow.respond_by),
    )
    .where(AssignmentRow.status.in_(("offered", "waiting")))
    .group_by(AssignmentRow.queue, AssignmentRow.status, AssignmentRow.escalated)
)


class Busy(NamedTuple):
    """A queue in which leads wait for a timer; `since`: seconds since the epoch at which the oldest came."""

    queue: str
    since: float


class Timers(Background):
    """Ticks in a thread of its own between `start` and `stop`; a tick can also be asked for by itself."""

    def __init__(self, ledger: Ledger, plan: Plan, prefix: str = "", clock: Callable[[], float] = time) -> None:
        super().__init__("timers")
        self.ledger, self.plan, self.prefix, self.clock = ledger, plan, prefix, clock

    def run(self) -> None:
        """Tick until `stop`; a fault that passes is told, and the next tick tries again."""
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self.tick(self.clock())
            except (TransientError, SQLAlchemyError) as exc:
                log.warning("a tick of the timers failed: %s", exc)

    def tick(self, now: float) -> int:
        """Do what is due at `now`; gives how many assignments changed. Raises TransientError."""
        changed = 0
        busy, due = self._watch()
        while due is not None and due <= now:
            done = self._expire(now)
            changed += done
            busy, due = self._watch()
            if not done:  # another worker is at it, or people hold the rows
                break
        return changed + sum(self._serve(one, now) for one in busy)

    def _expire(self, now: float) -> int:
        due = (AssignmentRow.status == "offered", AssignmentRow.respond_by <= instant(now))
        with self.ledger.unit() as unit:
            if not _alone(unit.connection):
                return 0
            taken = take(unit.connection, *due, limit=PAGE, skip_locked=True)
            self._change(unit, taken, now, self._run_out)
            return len(taken)

    def _run_out(self, one: Taken, standings: Book) -> Followed:
        return offers.refused(one.held, "expired", "was not answered in time", self.plan, standings)

    def _serve(self, busy: Busy, now: float) -> int:
        """Give waiting leads of a queue, oldest first, to whoever is free."""
        changed = 0
        after: tuple[Any, str] | None = None
        while True:
            with self.ledger.unit() as unit:
                if not _alone(unit.connection):
                    return changed
                movable = self._movable(unit.connection, busy, now)
                if not movable:
                    return changed
                where = [*_waiting(busy.queue, after), or_(*movable)]
                taken = take(unit.connection, *where, limit=PAGE, skip_locked=True)
                changed += self._change(unit, taken, now, self._retry)
            if len(taken) < PAGE:
                return changed
            after = (instant(taken[-1].held.entered_at), taken[-1].held.assignment_id)

    def _retry(self, one: Taken, standings: Book) -> Followed:
        return offers.retried(one.held, self.plan, standings)

    def _movable(self, connection: Connection, busy: Busy, now: float) -> list[ColumnElement[bool]]:
        """Which of the waiting leads of a queue can go on now: any of these holds. The others are left alone."""
        queue, row = self.plan.queues.get(busy.queue), AssignmentRow
        if queue is None:
            return [true()]
        standings = book.peek(connection, self.plan, [queue.id], now)
        free = [rep.id for rep in queue.members if obstacle(rep, queue.skills, standings) is None]
        found = [~row.declined.contains(free)] if free else []
        if queue.overflow is not None and busy.since + queue.overflow.after <= now:
            found.append(row.entered_at <= instant(now - queue.overflow.after))
        if queue.goes_to_manager and queue.askable:
            found.append(row.declined.contains(sorted(queue.askable)))
        return found

    def _change(self, unit: Unit, taken: Sequence[Taken], now: float, follow: Callable[[Taken, Book], Followed]) -> int:
        if not taken:
            return 0
        standings = lock_for(unit.connection, self.plan, taken, now)
        changes = Changes(unit, self.plan, self.prefix, now)
        changed = 0
        for one in taken:
            held, steps = follow(one, standings)
            changes.make(one, held, steps)
            changed += bool(steps)
        book.save(unit.connection, standings)
        changes.write()
        return changed

    def _watch(self) -> tuple[list[Busy], float | None]:
        """Set the gauges; gives the queues in which leads wait for a timer, and when the next offer runs out."""
        with self.ledger.unit() as unit:
            counts = unit.connection.execute(_COUNTS).all()
        offered, waiting = dict.fromkeys(self.plan.queues, 0), dict.fromkeys(self.plan.queues, 0)
        busy = []
        ends = [end.timestamp() for _, status, _, _, _, end in counts if status == "offered" and end is not None]
        for queue, status, escalated, count, since, _ in counts:
            of = offered if status == "offered" else waiting
            of[queue] = of.get(queue, 0) + count
            if status == "waiting" and not escalated:
                busy.append(Busy(queue, since.timestamp()))
        for gauge, values in ((metrics.OFFERS_OPEN, offered), (metrics.WAITING_LEADS, waiting)):
            for queue, count in values.items():
                gauge.labels(queue).set(count)
        return sorted(busy), min(ends, default=None)


def lock_for(connection: Connection, plan: Plan, taken: Sequence[Taken], now: float) -> Book:
    """The standings that may change with `taken`: their queues, where those overflow to, and who holds them."""
    queues = {one.held.queue for one in taken}
    for name in list(queues):
        queue = plan.queues.get(name)
        if queue is None:
            queues.add(plan.rules[-1].queue)
        elif queue.overflow is not None:
            queues.add(queue.overflow.to)
    return book.lock(connection, plan, queues, now, {one.held.rep for one in taken if one.held.rep is not None})


def _alone(connection: Connection) -> bool:
    return bool(connection.execute(_TAKE_LOCK, {"lock": LOCK}).scalar_one())


def _waiting(queue: str, after: tuple[Any, str] | None) -> list[ColumnElement[bool]]:
    row = AssignmentRow
    where = [row.status == "waiting", row.queue == queue, row.escalated.is_(False)]
    if after is not None:
        where.append(tuple_(row.entered_at, row.assignment_id) > after)
    return where
