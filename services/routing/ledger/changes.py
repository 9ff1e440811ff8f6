"""Changing assignments: read under lock, written back with events, decisions and records for the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from schemas import RoutedLead
from services.routing import records
from services.routing.calendars import instant
from services.routing.ledger import entries
from services.routing.ledger.models import AssignmentRow
from services.routing.ledger.store import Unit
from services.routing.offers import Held, Step
from services.routing.plan import Plan
from streaming.stage import Output


@dataclass(frozen=True, slots=True)
class Taken:
    """An assignment that is locked for a change."""

    held: Held
    lane: int
    routed: bytes
    outcome: str | None = None
    outcome_at: datetime | None = None
    known_as_of: datetime | None = None


def first_row(held: Held, routed: bytes, qualification: int, lane: int, reason: str, now: datetime) -> dict[str, Any]:
    """A new assignment, as the ledger keeps it."""
    return {
        "assignment_id": held.assignment_id,
        "lead_id": held.lead_id,
        "qualification": qualification,
        "turn": held.turn,
        "lane": lane,
        "routed": routed,
        "outcome": None,
        "outcome_at": None,
        "known_as_of": None,
        "created_at": now,
        **_standing(held, reason, now),
    }


def take(connection: Connection, *where: ColumnElement[bool], limit: int, skip_locked: bool) -> list[Taken]:
    """Assignments that meet `where`, oldest of their queue first, locked until the transaction ends."""
    row = AssignmentRow
    chosen = (
        select(row)
        .where(*where)
        .order_by(row.entered_at, row.assignment_id)
        .limit(limit)
        .with_for_update(skip_locked=skip_locked, key_share=True)
    )
    return [_taken(found) for found in connection.execute(chosen)]


def one(connection: Connection, assignment_id: str) -> Taken | None:
    """The assignment of that id, locked until the transaction ends."""
    found = take(connection, AssignmentRow.assignment_id == assignment_id, limit=1, skip_locked=False)
    return found[0] if found else None


@dataclass(slots=True)
class Changes:
    """Gathers what a transaction changes, and writes it at its end: rows first, then the outbox."""

    unit: Unit
    plan: Plan
    prefix: str
    now: float

    events: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)

    def make(self, before: Taken, after: Held, steps: Sequence[Step]) -> None:
        """Write what `before` became; nothing where there are no steps."""
        if not steps:
            return
        now = instant(self.now)
        routed = RoutedLead.model_validate_json(before.routed)
        for step in steps:
            self.events.append(entries.event_row(after, step, now))
            if step.placement is not None:
                routed = self._decided(routed, after, step)
            if step.queue != before.held.queue:
                self.outputs.append(records.queue_output(routed, self.prefix, [], now, before.lane))
            self.outputs.append(records.change_output(after, step, self.prefix, now, before.lane))
        if routed.rep != after.rep:
            routed = routed.model_copy(update={"rep": after.rep, "respond_by": None})
        values = _standing(after, steps[-1].reason, now) | {
            "turn": after.turn,
            "routed": routed.to_json(),
            "outcome": before.outcome,
            "outcome_at": before.outcome_at,
            "known_as_of": before.known_as_of,
        }
        self.unit.connection.execute(
            update(AssignmentRow).where(AssignmentRow.assignment_id == after.assignment_id).values(**values)
        )

    def write(self) -> None:
        """Events, decisions and the outbox."""
        entries.add_events(self.unit.connection, self.events)
        entries.add_decisions(self.unit.connection, self.decisions)
        self.unit.publish(self.outputs)

    def _decided(self, routed: RoutedLead, after: Held, step: Step) -> RoutedLead:
        assert step.placement is not None
        made = records.decision(step.placement, routed.rule, step.turn, self.plan)
        self.decisions.append(
            {"assignment_id": after.assignment_id, "sequence": step.sequence, "decision": made.model_dump(mode="json")}
        )
        clocks = routed.clocks
        if step.rep is not None and clocks.assigned_at is None:
            clocks = clocks.model_copy(update={"assigned_at": instant(self.now)})
        respond_by = None if after.respond_by is None else instant(after.respond_by)
        update_ = {"queue": step.queue, "rep": step.rep, "decision": made, "clocks": clocks, "respond_by": respond_by}
        return routed.model_copy(update=update_)


def _standing(held: Held, reason: str, now: datetime) -> dict[str, Any]:
    return {
        "queue": held.queue,
        "rep": held.rep,
        "status": held.status,
        "sequence": held.sequence,
        "tries": held.tries,
        "declined": sorted(held.declined),
        "escalated": held.escalated,
        "respond_by": None if held.respond_by is None else instant(held.respond_by),
        "reason": reason,
        "entered_at": instant(held.entered_at),
        "changed_at": now,
    }


def _taken(row: Any) -> Taken:
    held = Held(
        assignment_id=row.assignment_id,
        lead_id=row.lead_id,
        queue=row.queue,
        rep=row.rep,
        status=row.status,
        sequence=row.sequence,
        turn=row.turn,
        entered_at=row.entered_at.timestamp(),
        tries=row.tries,
        declined=frozenset(row.declined),
        escalated=row.escalated,
        respond_by=None if row.respond_by is None else row.respond_by.timestamp(),
    )
    return Taken(held, row.lane, row.routed, row.outcome, row.outcome_at, row.known_as_of)
