"""What people say of an assignment: they accept it, decline it, or tell what became of the lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from schemas import SalesOutcome
from services.routing import offers
from services.routing.ledger import book, entries
from services.routing.ledger.changes import Changes, Taken, one
from services.routing.ledger.models import AssignmentRow, OutcomeRow
from services.routing.ledger.store import Unit
from services.routing.offers import Followed
from services.routing.plan import Plan
from services.routing.standing import Book

RECYCLED = "recycled"
ENDS = ("disqualified", RECYCLED, "won", "lost")
"""Kinds of outcome after which nobody works the lead any more."""


class NoSuchAssignment(Exception):
    """There is no assignment of that id."""


class NotTheirs(Exception):
    """The assignment is not in a state in which this rep could say this; the text says in which it is."""


class Desk:
    """Takes answers in the transaction of `unit`. `now` in seconds since the epoch."""

    def __init__(self, unit: Unit, plan: Plan, prefix: str, now: float) -> None:
        self.unit, self.plan, self.prefix, self.now = unit, plan, prefix, now

    def accept(self, assignment_id: str, rep: str, reason: str = "") -> bool:
        """`rep` takes the lead; False where they had taken it before. Raises NoSuchAssignment, NotTheirs."""
        taken = self._take(assignment_id)
        held = taken.held
        if held.status == "accepted" and held.rep == rep:
            return False
        self._demand_offer(taken, rep)
        self._write(taken, lambda _: offers.accepted(held, reason or "accepted by the rep"))
        return True

    def decline(self, assignment_id: str, rep: str, reason: str = "") -> bool:
        """`rep` declines, and the next one is asked; False where they had declined before. Raises as `accept`."""
        taken = self._take(assignment_id)
        held = taken.held
        if held.rep != rep and rep in held.declined:
            return False
        self._demand_offer(taken, rep)
        why = reason or "declined by the rep"
        self._write(taken, lambda standings: offers.refused(held, "declined", why, self.plan, standings))
        return True

    def hear(self, outcome: SalesOutcome, value: bytes) -> str:
        """Take an outcome into the ledger; gives what came of it: `recorded`, `applied`, `duplicate`, `unmatched`."""
        row = {
            "outcome_id": outcome.outcome_id,
            "lead_id": outcome.lead_id,
            "assignment_id": outcome.assignment_id,
            "kind": outcome.kind,
            "value": value,
            "occurred_at": outcome.occurred_at,
        }
        new = insert(OutcomeRow).values(row).on_conflict_do_nothing().returning(OutcomeRow.outcome_id)
        if self.unit.connection.execute(new).first() is None:
            return "duplicate"
        assignment_id = outcome.assignment_id or self._latest(outcome.lead_id)
        taken = None if assignment_id is None else one(self.unit.connection, assignment_id)
        if taken is None or taken.held.lead_id != outcome.lead_id:
            return "unmatched"
        return "applied" if self._apply(taken, outcome) else "recorded"

    def _apply(self, taken: Taken, outcome: SalesOutcome) -> bool:
        held, reason = taken.held, outcome.reason or f"sales says: {outcome.kind}"
        if held.status == "closed":
            return False
        if outcome.kind in ENDS:
            known = entries.known_as_of(self.unit.connection, held.lead_id) if outcome.kind == RECYCLED else None
            ended = replace(taken, outcome=outcome.kind, outcome_at=outcome.occurred_at, known_as_of=known)
            self._write(ended, lambda standings: offers.closed(held, reason, standings))
            return True
        if held.status != "offered":
            return False
        if outcome.kind == "declined":
            self._write(taken, lambda standings: offers.refused(held, "declined", reason, self.plan, standings))
        else:  # whoever works the lead has taken it
            self._write(taken, lambda _: offers.accepted(held, reason))
        return True

    def _take(self, assignment_id: str) -> Taken:
        taken = one(self.unit.connection, assignment_id)
        if taken is None:
            raise NoSuchAssignment(assignment_id)
        return taken

    def _latest(self, lead_id: str) -> str | None:
        row = AssignmentRow
        chosen = select(row.assignment_id).where(row.lead_id == lead_id).order_by(row.qualification.desc()).limit(1)
        return self.unit.connection.execute(chosen).scalar_one_or_none()

    def _demand_offer(self, taken: Taken, rep: str) -> None:
        held = taken.held
        if held.status != "offered":
            raise NotTheirs(f"it is {held.status}, not offered")
        if held.rep != rep:
            raise NotTheirs("it is offered to somebody else")

    def _write(self, taken: Taken, follow: Callable[[Book], Followed]) -> None:
        connection, reps = self.unit.connection, [] if taken.held.rep is None else [taken.held.rep]
        standings = book.lock(connection, self.plan, [taken.held.queue], self.now, reps)
        held, steps = follow(standings)
        changes = Changes(self.unit, self.plan, self.prefix, self.now)
        changes.make(taken, held, steps)
        book.save(connection, standings)
        changes.write()
