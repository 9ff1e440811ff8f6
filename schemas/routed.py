"""``sales.queue.<queue>`` and ``sales.assignments``: who has the lead, since when and why."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from schemas.record import Id, Instant, Part, Record

AssignmentStatus = Literal["waiting", "offered", "accepted", "declined", "expired", "released", "closed"]
Priority = Literal["high", "normal", "low"]


class Candidate(Part):
    """A rep who was looked at, and what was found."""

    rep: Id
    eligible: bool
    reason: str = Field(description="Why not, or why this one.")
    standing: float | None = Field(default=None, description="What the method compared; the lowest goes first.")


class Decision(Part):
    """How it came to this: kept for as long as the assignment."""

    rule: Id
    queue: Id
    turn: int = Field(ge=0, description="Rises by one with each lead of the queue.")
    method: str
    candidates: list[Candidate] = Field(default_factory=list)
    rules_hash: str
    roster_hash: str
    account_match: dict[str, Any] | None = None


class Clocks(Part):
    """When the lead passed each stage; `captured_at` is the event's own time."""

    captured_at: Instant | None = None
    received_at: Instant | None = None
    ingested_at: Instant | None = None
    scored_at: Instant | None = None
    qualified_at: Instant | None = None
    assigned_at: Instant | None = None


class RoutedLead(Record):
    """A lead in a sales queue, with all that the rep needs for the first word."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "assignment_id": "9c5d1a52-1c2b-5a77-8f58-2f8f8f1f9d10",
                    "lead_id": "0b1f6f5e-6f0a-5d0e-9a55-3f1f6a3f2c11",
                    "queue": "emea-enterprise",
                    "rep": "ana",
                    "priority": "high",
                    "rule": "emea-enterprise",
                    "respond_by": "2026-09-24T12:42:12Z",
                    "decision": {
                        "rule": "emea-enterprise",
                        "queue": "emea-enterprise",
                        "turn": 7,
                        "method": "weighted_round_robin",
                        "candidates": [
                            {"rep": "ana", "eligible": True, "reason": "next in turn", "standing": 7.0},
                            {"rep": "bo", "eligible": False, "reason": "at capacity: holds 30 of 30"},
                        ],
                        "rules_hash": "3f1b0c9e52d7",
                        "roster_hash": "a81c55d20b9f",
                    },
                    "person": {"email": "ana@example.com"},
                    "scores": {"fit": 45.0, "engagement": 60.0, "grade": "B1"},
                    "clocks": {"captured_at": "2026-09-24T08:42:10Z", "assigned_at": "2026-09-24T08:42:12Z"},
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.routed_lead.v1"

    assignment_id: Id
    lead_id: Id
    queue: Id
    rep: Id | None = Field(default=None, description="None while it waits in the queue.")
    priority: Priority = "normal"
    rule: Id
    respond_by: Instant | None = None
    decision: Decision
    person: dict[str, Any] = Field(default_factory=dict)
    scores: dict[str, Any] = Field(default_factory=dict, description="The `ScoredLead` in short.")
    summary: str = ""
    collateral: list[str] = Field(default_factory=list)
    clocks: Clocks = Field(default_factory=Clocks)


class Assignment(Record):
    """One change of owner or status of an assignment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "assignment_id": "9c5d1a52-1c2b-5a77-8f58-2f8f8f1f9d10",
                    "lead_id": "0b1f6f5e-6f0a-5d0e-9a55-3f1f6a3f2c11",
                    "sequence": 2,
                    "queue": "emea-enterprise",
                    "rep": "ana",
                    "status": "accepted",
                    "reason": "accepted by ana",
                    "occurred_at": "2026-09-24T08:50:00Z",
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.assignment.v1"

    assignment_id: Id
    lead_id: Id
    sequence: int = Field(ge=1, description="Rises by one within an assignment.")
    queue: Id
    rep: Id | None = None
    status: AssignmentStatus
    reason: str = ""
    occurred_at: Instant
