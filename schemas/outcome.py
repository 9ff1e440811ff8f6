"""``sales.outcomes``: what sales says became of the lead."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.record import Id, Instant, Record, Text

OutcomeKind = Literal[
    "accepted", "declined", "contacted", "meeting_booked", "qualified", "disqualified", "recycled", "won", "lost"
]


class SalesOutcome(Record):
    """One answer of sales."""

    ce_type: ClassVar[str] = "baton.sales_outcome.v1"

    outcome_id: Id = Field(description="Idempotency key.")
    lead_id: Id
    assignment_id: Id | None = None
    kind: OutcomeKind
    occurred_at: Instant
    reason: Text | None = None
    value: float | None = Field(default=None, ge=0, description="Of the deal, in `currency`.")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="ISO 4217.")
