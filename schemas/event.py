"""``marketing.events``: what a person did, as the source tells it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field, field_validator

from schemas.record import EARLIEST, Id, Instant, Part, Record, Text


class Subject(Part):
    """Who it was, by whatever the source knows of them. At least one of the four is needed further on."""

    email: str | None = Field(default=None, max_length=320, description="As typed; ingest normalises it.")
    phone: str | None = Field(default=None, max_length=64, description="As typed; ingest makes it E.164.")
    anonymous_id: Id | None = Field(default=None, description="A browser's or device's id.")
    external_id: Id | None = Field(default=None, description="The source's own id of the person.")


class Attributes(Part):
    """What is known of the person and the company. Others than these are kept, as ``person.extra.*``."""

    first_name: Text | None = None
    last_name: Text | None = None
    full_name: Text | None = None
    job_title: Text | None = None
    company: Text | None = None
    company_domain: Text | None = None
    employees: int | None = Field(default=None, ge=0, description="Head count of the company.")
    industry: Text | None = None
    country: Text | None = Field(default=None, description="ISO 3166-1 alpha-2 once ingested; a name or code before.")
    region: Text | None = None
    city: Text | None = None
    postcode: Text | None = None
    language: Text | None = None
    website: Text | None = None


class Campaign(Part):
    """Where the person came from, in the words of UTM."""

    source: Text | None = None
    medium: Text | None = None
    name: Text | None = None
    term: Text | None = None
    content: Text | None = None
    click_id: Text | None = None


class Consent(Part):
    """One word of consent or of its withdrawal. The latest word on a purpose counts."""

    purpose: Id = Field(description="What for: `marketing_email`, `phone`, `profiling`, …")
    granted: bool
    basis: Text | None = Field(default=None, description="Legal basis: `consent`, `legitimate_interest`, `contract`.")
    at: Instant | None = Field(default=None, description="When it was given; the event's time where absent.")


class MarketingEvent(Record):
    """One thing that one person did."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event_id": "f-20260924-0001",
                    "type": "form_submitted",
                    "occurred_at": "2026-09-24T08:42:10Z",
                    "source": "website",
                    "subject": {"email": "ana@example.com", "anonymous_id": "c-81b2"},
                    "attributes": {"full_name": "Ana Example", "job_title": "Head of Sales", "country": "DE"},
                    "properties": {"form_id": "contact", "path": "/contact"},
                    "campaign": {"source": "google", "medium": "cpc", "name": "autumn"},
                    "consent": [{"purpose": "marketing_email", "granted": True, "basis": "consent"}],
                }
            ]
        }
    )
    ce_type: ClassVar[str] = "baton.marketing_event.v1"

    event_id: Id = Field(description="Idempotency key: a second record with it changes nothing downstream.")
    type: Id = Field(description="`form_submitted`, `page_viewed`, `demo_requested`, …: an open list.")
    occurred_at: Instant = Field(description="When the person did it.")
    source: Id = Field(description="Id of a source in `sources.yaml`.")
    received_at: Instant | None = Field(default=None, description="Set at the door.")
    subject: Subject = Field(default_factory=Subject)
    attributes: Attributes = Field(default_factory=Attributes)
    properties: dict[str, Any] = Field(default_factory=dict, description="About the event: `path`, `url`, `form_id`, …")
    campaign: Campaign = Field(default_factory=Campaign)
    consent: list[Consent] = Field(default_factory=list, max_length=100)
    is_test: bool = False

    @field_validator("occurred_at")
    @classmethod
    def _not_before_2000(cls, value: Instant) -> Instant:
        if value < EARLIEST:
            raise ValueError(
                "lies before the year 2000; send the time of the event, in milliseconds only where asked for"
            )
        return value
