"""``sales.outcomes``: what sales says became of the lead."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from schemas.record import Id, Instant, Record, Text

OutcomeKind = Literal[
    "accepted", "declined", "contacted", "meeting_booked", "qualified", "disqualified", "recycled", "won", "lost"
]


class SalesOutcome(Record):
    """One answer of sales."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "outcome_id": "crm-4711",
                    "lead_id": "0b1f6f5e-6f0a-5d0e-9a55-3f1f6a3f2c11",
                    "assignment_id": "9c5d1a52-1c2b-5a77-8f58-2f8f8f1f9d10",
                    "kind": "meeting_booked",
                    "occurred_at": "2026-09-25T09:00:00Z",
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.sales_outcome.v1"

    outcome_id: Id = Field(description="Idempotency key.")
    lead_id: Id
    assignment_id: Id | None = None
    kind: OutcomeKind
    occurred_at: Instant
    reason: Text | None = None
    value: float | None = Field(default=None, ge=0, description="Of the deal, in `currency`.")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="ISO 4217.")
