"""``leads.events``: a marketing event, normalised, and whose it is."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from schemas.event import MarketingEvent
from schemas.record import Id, Instant, Part, Record

IdentityKind = Literal["email", "phone", "external_id", "anonymous_id"]


class Identity(Part):
    """By what the lead was identified, and which weaker leads are the same person."""

    kind: IdentityKind = Field(description="The strongest identifier of the event.")
    links: list[Id] = Field(default_factory=list, description="`lead_id`s of the weaker identifiers that came with it.")


class LeadEvent(Record):
    """One event of one lead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lead_id": "0b1f6f5e-6f0a-5d0e-9a55-3f1f6a3f2c11",
                    "event": {
                        "event_id": "f-20260924-0001",
                        "type": "form_submitted",
                        "occurred_at": "2026-09-24T08:42:10Z",
                        "source": "website",
                        "subject": {"email": "ana@example.com", "anonymous_id": "c-81b2"},
                        "attributes": {"company_domain": "example.com"},
                    },
                    "identity": {"kind": "email", "links": ["5e2c7a0c-93d5-5b34-8c0e-7a4b1f0d9e02"]},
                    "quality": [],
                    "received_at": "2026-09-24T08:42:11Z",
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.lead_event.v1"

    lead_id: Id = Field(description="uuid5 of the strongest identifier.")
    event: MarketingEvent
    identity: Identity
    quality: list[str] = Field(
        default_factory=list, description="Verdicts: `test`, `disposable_email`, `role_address`, …"
    )
    received_at: Instant = Field(description="At the door; for what came by Kafka, the record's timestamp.")
