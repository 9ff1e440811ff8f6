"""``leads.scored``: what a lead is worth, and why."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from schemas.event import Campaign
from schemas.record import Id, Instant, Part, Record

Stage = Literal["inquiry", "mql", "accepted", "qualified", "recycled", "disqualified"]


class Explanation(Part):
    """One line of the account: the lines of a kind add up to its score."""

    rule: Id
    kind: Literal["fit", "engagement", "model"]
    points: float = Field(description="What it adds now; negative for a cap that bit.")
    from_points: float = Field(description="Its worth without age.")
    detail: str = Field(default="", description="In words.")


class Transition(Part):
    """A change of the lead's stage."""

    from_: Stage = Field(alias="from")
    to: Stage
    reason: str


class Touches(Part):
    """The campaigns of the first and of the latest event that named one."""

    first: Campaign | None = None
    last: Campaign | None = None


class ScoredLead(Record):
    """The score of a lead after one event: a function of the set of its events alone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lead_id": "0b1f6f5e-6f0a-5d0e-9a55-3f1f6a3f2c11",
                    "event_id": "f-20260924-0001",
                    "fit": 45.0,
                    "engagement": 60.0,
                    "grade": "B1",
                    "stage": "mql",
                    "transition": {"from": "inquiry", "to": "mql", "reason": "raised a hand: demo_requested"},
                    "segments": ["enterprise"],
                    "explanation": [
                        {
                            "rule": "enterprise",
                            "kind": "fit",
                            "points": 45.0,
                            "from_points": 45.0,
                            "detail": "employees is at least 1000",
                        },
                        {
                            "rule": "demo",
                            "kind": "engagement",
                            "points": 60.0,
                            "from_points": 60.0,
                            "detail": "1 signal, the last 0 days old",
                        },
                    ],
                    "person": {"email": "ana@example.com", "employees": 1200},
                    "campaign": {"first": {"source": "google"}, "last": {"source": "google"}},
                    "consent": {"marketing_email": True},
                    "quality": [],
                    "rules_hash": "3f1b0c9e52d7",
                    "as_of": "2026-09-24T08:42:10Z",
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.scored_lead.v1"

    lead_id: Id
    event_id: Id = Field(description="What caused it.")
    fit: float = Field(description="Who they are: 0 to the ruleset's `fit.max`, two decimals.")
    engagement: float = Field(description="What they did, decayed to `as_of`, two decimals.")
    grade: str = Field(pattern=r"^[A-D][1-4]$")
    stage: Stage
    transition: Transition | None = None
    segments: list[str] = Field(default_factory=list)
    conversion_probability: float | None = Field(default=None, ge=0, le=1)
    explanation: list[Explanation] = Field(default_factory=list)
    person: dict[str, Any] = Field(
        default_factory=dict, description="Subject and attributes as known now; `extra` for others."
    )
    campaign: Touches = Field(default_factory=Touches)
    consent: dict[str, bool] = Field(default_factory=dict, description="By purpose, the latest word.")
    quality: list[str] = Field(default_factory=list)
    rules_hash: str = Field(description="Of the rules in force.")
    as_of: Instant = Field(
        description="Decay is computed for this time: the latest `occurred_at` among the lead's events."
    )
