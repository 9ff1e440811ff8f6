"""``sales.queue.<queue>`` and ``sales.assignments``: who has the lead, since when and why."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

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

    ce_type: ClassVar[str] = "baton.assignment.v1"

    assignment_id: Id
    lead_id: Id
    sequence: int = Field(ge=1, description="Rises by one within an assignment.")
    queue: Id
    rep: Id | None = None
    status: AssignmentStatus
    reason: str = ""
    occurred_at: Instant
