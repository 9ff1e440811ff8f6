"""A desk to look at the ledger from, and to feed routing, for the integration tests of routing."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import text

from schemas import ScoredLead
from services.routing.ledger import Ledger
from services.routing.plan import Plan
from services.routing.stage import make_stage
from streaming.memory import MemoryRunner
from tests.unit.routing import world


def runner(ledger: Ledger, plan: Plan, now: float = world.NOON, prefix: str = "") -> MemoryRunner:
    return MemoryRunner([make_stage(plan, ledger, prefix)], now=now)


def feed(to: MemoryRunner, *leads: ScoredLead, prefix: str = "") -> None:
    for lead in leads:
        to.send(prefix + "leads.scored", lead.lead_id.encode(), lead.to_json())
    to.run()


def rows(ledger: Ledger, query: str, **values: Any) -> list[dict[str, Any]]:
    with ledger.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(query), values)]


def outbox(ledger: Ledger, topic: str) -> list[dict[str, Any]]:
    """Values of the records in the outbox for `topic`, in order of publication within each lane."""
    found = rows(ledger, "SELECT value FROM outbox WHERE topic = :topic ORDER BY lane, sequence", topic=topic)
    return [orjson.loads(bytes(row["value"])) for row in found]


def everything(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """All that the ledger holds but for source positions, and for when the database took a record."""
    tables = ("reps", "queues", "assignments", "assignment_events", "decisions", "suppressions", "leads", "outbox")
    found = {table: rows(ledger, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
    for row in found["outbox"]:
        del row["written_at"]
    return found
