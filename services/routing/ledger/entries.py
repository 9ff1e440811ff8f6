"""What a round and a timer write and read: leads, assignments, their events and decisions, suppressions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, text

from services.routing.ledger.models import AssignmentEvent, AssignmentRow, DecisionRow, SuppressionRow
from services.routing.offers import Held, Step


class Lead(NamedTuple):
    """The last record of a lead."""

    lead_id: str
    email: str | None
    value: bytes
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Assigned:
    """The latest assignment of a lead, as far as the next one depends on it.

    `known_as_of`: the `as_of` that the lead's records had come to when sales recycled it; None where it did not.
    """

    qualification: int
    status: str
    outcome: str | None = None
    outcome_at: datetime | None = None
    known_as_of: datetime | None = None


_LEADS = text("""
    INSERT INTO leads AS old (lead_id, email, value, as_of)
    SELECT * FROM unnest(CAST(:lead_id AS text[]), CAST(:email AS text[]), CAST(:value AS bytea[]),
                         CAST(:as_of AS timestamptz[]))
    ON CONFLICT (lead_id) DO UPDATE SET email = excluded.email, value = excluded.value, as_of = excluded.as_of
    WHERE old.as_of <= excluded.as_of
""")
# `keep_leads` has locked the row of each lead of a round, whether or not its record was newer.
_KNOWN = text("SELECT as_of FROM leads WHERE lead_id = :lead FOR SHARE")
_SUPPRESS = text("""
    INSERT INTO suppressions (lead_id, rule, reason, event_id, rules_hash, occurred_at)
    SELECT * FROM unnest(CAST(:lead_id AS text[]), CAST(:rule AS text[]), CAST(:reason AS text[]),
                         CAST(:event_id AS text[]), CAST(:rules_hash AS text[]), CAST(:occurred_at AS timestamptz[]))
    ON CONFLICT (lead_id) DO UPDATE SET rule = excluded.rule, reason = excluded.reason, event_id = excluded.event_id,
        rules_hash = excluded.rules_hash, occurred_at = excluded.occurred_at
""")


def keep_leads(connection: Connection, leads: Collection[Lead]) -> None:
    """Keep the last record of each lead; an older one than what is kept changes nothing."""
    if leads:
        ordered = sorted(leads)  # rows are locked in the same order by everybody
        connection.execute(_LEADS, {name: [getattr(lead, name) for lead in ordered] for name in Lead._fields})


def known_as_of(connection: Connection, lead: str) -> datetime | None:
    """The `as_of` that the records of `lead` have come to. A round that is at work on the lead is waited for."""
    return connection.execute(_KNOWN, {"lead": lead}).scalar_one_or_none()


def latest_assignments(connection: Connection, leads: Collection[str]) -> dict[str, Assigned]:
    """The latest assignment of each of `leads` that has one."""
    row = AssignmentRow
    found = connection.execute(
        select(row.lead_id, row.qualification, row.status, row.outcome, row.outcome_at, row.known_as_of)
        .where(row.lead_id == text("ANY(CAST(:leads AS text[]))"))
        .order_by(row.lead_id, row.qualification),
        {"leads": list(leads)},
    )
    return {lead: Assigned(number, status, outcome, at, known) for lead, number, status, outcome, at, known in found}


def add_assignments(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New assignments."""
    if rows:
        connection.execute(insert(AssignmentRow), rows)


def add_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New changes of assignments."""
    if rows:
        connection.execute(insert(AssignmentEvent), rows)


def add_decisions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New decisions."""
    if rows:
        connection.execute(insert(DecisionRow), rows)


def keep_suppressions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep why leads were suppressed: the latest word of each lead."""
    if rows:
        last = {row["lead_id"]: row for row in rows}
        ordered = [last[lead] for lead in sorted(last)]
        connection.execute(_SUPPRESS, {name: [row[name] for row in ordered] for name in ordered[0]})


def lift_suppressions(connection: Connection, leads: Collection[str]) -> None:
    """Forget that `leads` were suppressed: they are assigned now."""
    if leads:
        connection.execute(
            delete(SuppressionRow).where(SuppressionRow.lead_id == text("ANY(CAST(:leads AS text[]))")),
            {"leads": list(leads)},
        )


def event_row(held: Held, step: Step, now: datetime) -> dict[str, Any]:
    """A step, as `assignment_events` keeps it."""
    return {
        "assignment_id": held.assignment_id,
        "sequence": step.sequence,
        "queue": step.queue,
        "rep": step.rep,
        "status": step.status,
        "reason": step.reason,
        "occurred_at": now,
    }
