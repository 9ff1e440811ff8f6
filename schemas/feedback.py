"""``marketing.feedback``: what sales learned of the leads of one campaign, for those who pay for it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field, NonNegativeInt

from schemas.outcome import OutcomeKind
from schemas.record import Id, Instant, Record, Text


class MarketingFeedback(Record):
    """Outcomes so far of the leads that came by one source, campaign and content. The latest record of a key counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "google-ads",
                    "campaign": "autumn",
                    "content": "video-b",
                    "leads": 120,
                    "outcomes": {"accepted": 31, "qualified": 9, "won": 2},
                    "as_of": "2026-10-01T00:00:00Z",
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.marketing_feedback.v1"

    source: Id = Field(description="Id of a source in `sources.yaml`.")
    campaign: Text | None = None
    content: Text | None = None
    leads: int = Field(ge=0, description="Leads that were handed to sales.")
    outcomes: dict[OutcomeKind, NonNegativeInt] = Field(
        default_factory=dict, description="Leads by what became of them."
    )
    as_of: Instant = Field(description="The latest outcome that is counted.")
