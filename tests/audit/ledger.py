"""What the auditor reads from the ledger: plain SQL, in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg


@dataclass(frozen=True)
class Assigned:
    """An assignment as the ledger has it; `changes` are (sequence, status, queue, rep), in order."""

    assignment_id: str
    lead_id: str
    qualification: int
    queue: str
    changes: tuple[tuple[int, str, str, str | None], ...]


@dataclass(frozen=True)
class Ledger:
    """All assignments, the leads that were kept from sales with the reason, and what waits to be published."""

    assignments: tuple[Assigned, ...] = ()
    suppressed: dict[str, str] = field(default_factory=dict)
    unpublished: int = 0


def read_ledger(url: str) -> Ledger:
    """The ledger as it stands. `url` is a PostgreSQL URL, with SQLAlchemy's driver or without."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        changes: dict[str, list[tuple[int, str, str, str | None]]] = {}
        for assignment, *change in connection.execute(
            "SELECT assignment_id, sequence, status, queue, rep FROM assignment_events ORDER BY assignment_id, sequence"
        ):
            changes.setdefault(assignment, []).append(tuple(change))
        rows = connection.execute("SELECT assignment_id, lead_id, qualification, queue FROM assignments").fetchall()
        suppressed = connection.execute("SELECT lead_id, reason FROM suppressions").fetchall()
        waiting = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return Ledger(
        assignments=tuple(
            Assigned(assignment, lead, qualification, queue, tuple(changes.get(assignment, ())))
            for assignment, lead, qualification, queue in rows
        ),
        suppressed=dict(suppressed),
        unpublished=waiting[0] if waiting else 0,
    )
