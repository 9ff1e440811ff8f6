"""What the sales API and `explain` read of the ledger. Values are plain Python, ready for JSON."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, select, tuple_

from schemas.record import to_utc
from services.routing.ledger.models import (
    AssignmentEvent,
    AssignmentRow,
    DecisionRow,
    LeadRow,
    OutcomeRow,
    SuppressionRow,
)


class BadCursor(ValueError):
    """The cursor was not made here."""


def assignments(
    connection: Connection, filters: Mapping[str, str], limit: int, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Assignments that meet `filters` (`rep`, `queue`, `status`, `lead_id`), oldest first, and the next page's cursor.

    Raises BadCursor.
    """
    row = AssignmentRow
    chosen: Select[Any] = select(row).order_by(row.created_at, row.assignment_id).limit(limit + 1)
    for name, value in filters.items():
        chosen = chosen.where(getattr(row, name) == value)
    if cursor is not None:
        chosen = chosen.where(tuple_(row.created_at, row.assignment_id) > _opened(cursor))
    found = connection.execute(chosen).all()
    more = len(found) > limit
    page = found[:limit]
    return [_assignment(one) for one in page], _cursor(page[-1]) if more else None


def assignment(connection: Connection, assignment_id: str) -> dict[str, Any] | None:
    """The assignment of that id."""
    found = connection.execute(select(AssignmentRow).where(AssignmentRow.assignment_id == assignment_id)).first()
    return None if found is None else _assignment(found)


def lead(connection: Connection, wanted: str) -> dict[str, Any] | None:
    """All that is known of the lead with this id or e-mail address; None where there is none.

    `score` is its last `ScoredLead`; `assignment` the latest one, with `decision`, `history` and `routed`;
    `assignments` all of them; `suppression` and `outcomes` what there is.
    """
    known = connection.execute(select(LeadRow).where(LeadRow.lead_id == wanted)).first()
    if known is None and "@" in wanted:
        by_email = select(LeadRow).where(LeadRow.email == wanted.strip().lower()).order_by(LeadRow.as_of.desc())
        known = connection.execute(by_email.limit(1)).first()
    lead_id = wanted if known is None else known.lead_id
    chosen = select(AssignmentRow).where(AssignmentRow.lead_id == lead_id).order_by(AssignmentRow.qualification)
    all_of_them = [_with_history(connection, row) for row in connection.execute(chosen).all()]
    if known is None and not all_of_them:
        return None
    suppressed = connection.execute(select(SuppressionRow).where(SuppressionRow.lead_id == lead_id)).first()
    outcomes = select(OutcomeRow.value).where(OutcomeRow.lead_id == lead_id).order_by(OutcomeRow.occurred_at)
    score = None if known is None else orjson.loads(known.value)
    return {
        "lead_id": lead_id,
        "score": score,
        "explanation": [] if score is None else score.get("explanation", []),
        "assignment": all_of_them[-1] if all_of_them else None,
        "assignments": all_of_them,
        "suppression": None if suppressed is None else dict(suppressed._mapping),  # noqa: SLF001 SQLAlchemy's public name
        "outcomes": [orjson.loads(value) for value in connection.execute(outcomes).scalars()],
    }


def _with_history(connection: Connection, row: Any) -> dict[str, Any]:
    of = row.assignment_id
    events = select(AssignmentEvent).where(AssignmentEvent.assignment_id == of).order_by(AssignmentEvent.sequence)
    decisions = select(DecisionRow).where(DecisionRow.assignment_id == of).order_by(DecisionRow.sequence)
    made = {one.sequence: one.decision for one in connection.execute(decisions)}
    history = [
        {
            "sequence": one.sequence,
            "queue": one.queue,
            "rep": one.rep,
            "status": one.status,
            "reason": one.reason,
            "occurred_at": one.occurred_at,
            "decision": made.get(one.sequence),
        }
        for one in connection.execute(events)
    ]
    latest = made[max(made)] if made else None
    return _assignment(row) | {"decision": latest, "history": history, "routed": orjson.loads(row.routed)}


def _assignment(row: Any) -> dict[str, Any]:
    return {
        "assignment_id": row.assignment_id,
        "lead_id": row.lead_id,
        "queue": row.queue,
        "rep": row.rep,
        "status": row.status,
        "sequence": row.sequence,
        "turn": row.turn,
        "tries": row.tries,
        "reason": row.reason,
        "escalated": row.escalated,
        "respond_by": row.respond_by,
        "outcome": row.outcome,
        "created_at": row.created_at,
        "changed_at": row.changed_at,
    }


def _cursor(row: Any) -> str:
    return urlsafe_b64encode(orjson.dumps([row.created_at, row.assignment_id])).decode()


def _opened(cursor: str) -> tuple[datetime, str]:
    try:
        at, assignment_id = orjson.loads(urlsafe_b64decode(cursor.encode()))
        when = datetime.fromisoformat(at)
        if when.tzinfo is None or not isinstance(assignment_id, str) or "\x00" in assignment_id:
            raise BadCursor(cursor)
        return to_utc(when), assignment_id
    except (ValueError, TypeError) as exc:
        raise BadCursor(cursor) from exc
