"""The ingest stage: `marketing.events` in, `leads.events` out, no state.

What comes in: marketing events of any Kafka producer or of the collector, as JSON or as CloudEvents. What goes out:
the event, normalised, keyed by the lead it belongs to. What cannot be used goes to `ingest.failed` with a typed reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from schemas import LeadEvent, MarketingEvent
from schemas.headers import CLOCKS, INGESTED_AT, RECEIVED_AT, carried, cloudevent, header_map, rfc3339
from schemas.ids import derived_id
from schemas.topics import LEADS_EVENTS, MARKETING_EVENTS, changelog, failed
from services.ingest import cloudevents, contacts, quality, strict_json
from services.ingest.identity import identify
from services.ingest.normalise import normalise
from services.ingest.reading import check_size, event_of
from services.ingest.refusal import Refused, refused
from services.ingest.source import Sources
from streaming.stage import Batch, Message, Output, Stage

NAME = "ingest"


def make_stage(sources: Sources, prefix: str = "") -> Stage:
    """The stage. `prefix` stands before every topic's name."""
    return Stage(
        name=NAME,
        source=prefix + MARKETING_EVENTS,
        failed=prefix + failed(NAME),
        handler=partial(handle, sources, prefix + LEADS_EVENTS),
        changelog=prefix + changelog(NAME),
        stamp=INGESTED_AT,
        outputs=(prefix + LEADS_EVENTS,),
    )


def handle(sources: Sources, topic: str, batch: Batch[Any]) -> None:
    """Turn each record of the batch into a lead's event on `topic`, or say why not."""
    for message in batch.records:
        try:
            batch.outputs.append(_output(message, sources, topic))
        except Refused as why:
            batch.fail(message, why.reason, why.detail)


def lead_event(event: MarketingEvent, received_at: datetime, sources: Sources) -> LeadEvent:
    """The lead's event that a marketing event makes. Raises `Refused` (`unknown_source`, `no_identifier`)."""
    source = sources.get(event.source)
    if source is None:
        raise refused(
            "unknown_source",
            "source",
            "is not the id of a source in sources.yaml",
            "Name a source of that file, or add this one to it, for a CloudEvent among the `aliases` of a source",
        )
    if source.id != event.source:
        event = event.model_copy(update={"source": source.id})
    normal, verdicts = normalise(event, source.region)
    whose = identify(normal)
    if whose is None:
        raise no_identifier(event)
    return LeadEvent(
        lead_id=whose.lead_id,
        event=normal,
        identity=whose.identity,
        quality=quality.verdicts(normal) + verdicts,
        received_at=event.received_at or received_at,
    )


def no_identifier(event: MarketingEvent) -> Refused:
    """Why nobody is found behind an event, without saying who was named."""
    given = [f"subject.{name}" for name, value in event.subject if isinstance(value, str) and value.strip()]
    problem = "names nobody"
    if event.subject.email:
        problem = f"the e-mail {contacts.email_problem(event.subject.email)}, and nothing else names the person"
    elif event.subject.phone:
        problem = "the phone number is not a valid one, and nothing else names the person"
    elif given:
        problem = "holds only placeholders such as `null`"
    return refused(
        "no_identifier",
        given[0] if given else "subject",
        problem,
        "Send a valid email, phone (with +, or set the source's region), external_id or anonymous_id",
    )


def _output(message: Message, sources: Sources, topic: str) -> Output:
    headers = header_map(message.headers())
    received = _timestamp(message)
    event = event_of(_data(message.value(), headers), received)
    lead = lead_event(event, received or event.occurred_at, sources)
    clocks = carried(headers, CLOCKS[: CLOCKS.index(INGESTED_AT)])
    return Output(
        topic,
        lead.lead_id.encode(),
        lead.to_json(),
        [
            *cloudevent(
                id=derived_id("lead_event", event.event_id),
                source=f"baton/{NAME}",
                type=LeadEvent.ce_type,
                time=event.occurred_at,
            ),
            *(clocks or [(RECEIVED_AT, rfc3339(lead.received_at).encode())]),
        ],
    )


def _data(value: bytes | None, headers: Mapping[str, str]) -> Any:
    """The event as parsed JSON, from whatever envelope it came in."""
    if value is None:
        raise refused("tombstone", "", "the record has no value", "Send the event as the value; nothing is deleted so")
    check_size(len(value))
    data = strict_json.loads(value)
    content_type = (headers.get("content-type") or headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    if content_type == cloudevents.STRUCTURED or cloudevents.is_structured(data):
        return cloudevents.unwrap(data if isinstance(data, dict) else {})
    attributes = cloudevents.attributes_of(headers)
    foreign = attributes.get("type", MarketingEvent.ce_type) != MarketingEvent.ce_type
    if foreign and "specversion" in attributes and not cloudevents.is_ours(data):
        return cloudevents.unwrap({**attributes, "data": data})
    return data


def _timestamp(message: Message) -> datetime | None:
    """When the record came, by Kafka; None where the record has no timestamp."""
    kind, milliseconds = message.timestamp()
    if not kind or milliseconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # a producer that counts microseconds
        return None
