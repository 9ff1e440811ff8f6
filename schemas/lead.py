"""``leads.events``: a marketing event, normalised, and whose it is."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.event import MarketingEvent
from schemas.record import Id, Instant, Part, Record

IdentityKind = Literal["email", "phone", "external_id", "anonymous_id"]


class Identity(Part):
    """By what the lead was identified, and which weaker leads are the same person."""

    kind: IdentityKind = Field(description="The strongest identifier of the event.")
    links: list[Id] = Field(default_factory=list, description="`lead_id`s of the weaker identifiers that came with it.")


class LeadEvent(Record):
    """One event of one lead."""

    ce_type: ClassVar[str] = "baton.lead_event.v1"

    lead_id: Id = Field(description="uuid5 of the strongest identifier.")
    event: MarketingEvent
    identity: Identity
    quality: list[str] = Field(
        default_factory=list, description="Verdicts: `test`, `disposable_email`, `role_address`, …"
    )
    received_at: Instant = Field(description="At the door; for what came by Kafka, the record's timestamp.")
