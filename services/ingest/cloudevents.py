"""CloudEvents of other makers, taken as marketing events. Pure.

Source: CloudEvents 1.0.2, and its Kafka Protocol Binding: structured mode has everything in the value
(`application/cloudevents+json`), binary mode has the attributes in headers (`ce_…`) and the data in the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.ingest.fields import event_data
from services.ingest.refusal import refused
from services.ingest.spellings import words

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

KNOWN_TYPES = words(
    """form_submitted ad_lead_submitted page_viewed email_opened email_clicked content_downloaded webinar_attended
    webinar_registered demo_requested chat_started unsubscribed meeting_booked trial_started"""
)
"""Types of events by which a foreign type such as `com.example.webinar.attended` is recognised."""

_CORE = frozenset(("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"))


def is_structured(data: Any) -> bool:
    """Whether parsed JSON is a CloudEvent in structured mode."""
    return isinstance(data, dict) and "specversion" in data and "event_id" not in data


def attributes_of(headers: Mapping[str, str]) -> dict[str, str]:
    """A record's or request's CloudEvents attributes, from headers `ce_…` (Kafka) or `ce-…` (HTTP)."""
    return {name[3:].lower(): value for name, value in headers.items() if name[:3].lower() in {"ce_", "ce-"}}


def unwrap(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The marketing event in a structured CloudEvent.

    Data that is a marketing event of ours is it; other data is read by the usual names of fields. Raises `Refused`.
    """
    version = envelope.get("specversion")
    if version != "1.0":
        raise refused(
            "unsupported_version", "specversion", "is not 1.0", "Send CloudEvents 1.0, with specversion as text"
        )
    missing = [name for name in ("id", "source", "type") if not _text(envelope.get(name))]
    if missing:
        raise refused("schema_violation", missing[0], "is missing", "Add it, as text: CloudEvents requires it")
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise refused("schema_violation", "data", "is not an object", "Send JSON data: one object, not base64")
    if is_ours(data):
        return data
    if not _text(envelope.get("time")):
        raise refused("schema_violation", "time", "is missing", "Add the time of the event in RFC 3339 with a zone")
    given = dict(data)
    if isinstance(envelope.get("subject"), str) and "@" in envelope["subject"]:
        given.setdefault("email", envelope["subject"])
    extra = {name: value for name, value in envelope.items() if name not in _CORE}
    return event_data(
        given,
        event_id=f"{envelope['source']}#{envelope['id']}",
        type=type_of(str(envelope["type"])),
        occurred_at=envelope["time"],
        source=str(envelope["source"]),
        properties=extra | {"ce_type": envelope["type"]},
    )


def is_ours(data: Any) -> bool:
    """Whether data has the look of a `MarketingEvent` rather than of somebody else's."""
    return isinstance(data, dict) and "event_id" in data and ("occurred_at" in data or "subject" in data)


def type_of(foreign: str) -> str:
    """The type of ours that a foreign one such as `com.example.webinar.attended` means; else the foreign one."""
    ending = "_".join(foreign.split(".")[-2:])
    return ending if ending in KNOWN_TYPES else foreign


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
