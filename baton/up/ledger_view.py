"""What the live view reads of the ledger: queues with their reps, and the leads that were routed last."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Engine, func, select

from baton.up.snapshot import QueueSample, RepSample, RoutedSample
from services.routing.ledger.models import AssignmentRow, QueueRow

_LAST = 20


def queues(engine: Engine, weighted: Collection[str]) -> tuple[QueueSample, ...]:
    """Every queue that a lead has come to, by name. Shares are due in those that are `weighted`."""
    row = AssignmentRow
    with engine.connect() as connection:
        held = func.count().filter(row.status.in_(("offered", "accepted")))
        counts = connection.execute(select(row.queue, row.rep, held).group_by(row.queue, row.rep)).all()
        waiting = connection.execute(
            select(row.queue, func.count()).where(row.status == "waiting").group_by(row.queue)
        ).all()
        standings = connection.execute(select(QueueRow.id, QueueRow.seats, QueueRow.had)).all()
    leads: dict[str, dict[str, int]] = {}
    for queue, rep, count in counts:
        leads.setdefault(queue, {})
        if rep is not None:
            leads[queue][rep] = count
    shares = {
        name: ({str(rep): int(weight) for rep, weight in seats}, had)
        for name, seats, had in standings
        if name in weighted
    }
    waits = {one.queue: int(one[1]) for one in waiting}
    return tuple(
        QueueSample(name, _reps(leads.get(name, {}), *shares.get(name, ({}, {}))), waits.get(name, 0))
        for name in sorted(leads)
    )


def _reps(leads: dict[str, int], weights: dict[str, int], had: dict[str, int]) -> tuple[RepSample, ...]:
    whole = sum(weights.values())
    return tuple(
        RepSample(rep, leads.get(rep, 0), had.get(rep, 0), weights[rep] / whole if rep in weights else None)
        for rep in sorted(leads.keys() | weights.keys())
    )


def last_routed(engine: Engine, since: datetime | None = None) -> tuple[RoutedSample, ...]:
    """The last leads that were routed (after `since`), latest first."""
    row = AssignmentRow
    query = select(row.assignment_id, row.created_at, row.routed)
    if since is not None:
        query = query.where(row.created_at > since)
    with engine.connect() as connection:
        found = connection.execute(query.order_by(row.created_at.desc(), row.assignment_id).limit(_LAST)).all()
    return tuple(_routed(*one) for one in found)


def known(engine: Engine) -> set[str]:
    """Ids of the last assignments that are there already: those of earlier runs are no news."""
    return {lead.assignment_id for lead in last_routed(engine)}


def _routed(assignment_id: str, created_at: datetime, value: bytes) -> RoutedSample:
    """The lead as it was first routed, whatever became of it since."""
    routed: dict[str, Any] = orjson.loads(value)
    person, rep = routed.get("person", {}), routed.get("rep")
    captured = routed.get("clocks", {}).get("captured_at")
    took = (created_at - datetime.fromisoformat(captured)).total_seconds() if captured else None
    candidates = routed.get("decision", {}).get("candidates", [])
    why = next((one.get("reason", "") for one in candidates if one.get("rep") == rep and rep), "")
    email = person.get("email")
    return RoutedSample(
        assignment_id,
        created_at,
        ", ".join(str(person[key]) for key in ("job_title", "company") if person.get(key)) or "somebody",
        routed["queue"],
        rep,
        str(routed.get("rule", "")),
        why,
        str(email) if email else None,
        took,
    )
