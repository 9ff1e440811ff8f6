"""Who may send what: tokens, origins, and events that name a source. Pure."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from schemas import MarketingEvent
from services.ingest import cloudevents, contacts
from services.ingest.normalise import usable_id
from services.ingest.reading import event_of
from services.ingest.refusal import refused
from services.ingest.source import Source, Sources
from services.ingest.stage import no_identifier


def known(sources: Sources, name: str) -> Source:
    """The source of that id. Raises `Refused` (`unknown_source`, `source_closed`)."""
    source = sources.get(name)
    if source is None:
        raise refused(
            "unknown_source",
            "source",
            "is not the id of a source in sources.yaml",
            "Name a source of that file, or add this one to it, for a CloudEvent among the `aliases` of a source",
        )
    if source.closed:
        unset, it = source.unset_words
        raise refused(
            "source_closed",
            "source",
            f"`{source.id}` has nothing to be verified by: {unset}",
            f"Set {it} in the collector's environment and start the collector again",
        )
    return source


def check_token(source: Source, authorization: str | None) -> None:
    """Raises `Refused` (`unauthorized`) unless the header holds one of the source's secrets; one without is open."""
    if not source.secrets:
        return
    scheme, _, token = (authorization or "").partition(" ")
    said = token.strip().encode()
    if scheme.lower() != "bearer" or not any(hmac.compare_digest(said, secret.encode()) for secret in source.secrets):
        raise refused(
            "unauthorized",
            "Authorization",
            f"holds no token of the source `{source.id}`" if authorization else "is missing",
            "Send `Authorization: Bearer` and the token that the source in sources.yaml names",
        )


def check_origin(source: Source, origin: str | None) -> None:
    """Raises `Refused` (`origin_not_allowed`) for a page whose origin the source does not list."""
    if origin and source.origins and not {"*", origin.lower()} & set(source.origins):
        raise refused(
            "origin_not_allowed",
            "Origin",
            f"is none of the source `{source.id}`",
            "Add the page's origin to the source's `origins` in sources.yaml",
        )


def admitted(
    data: Any, sources: Sources, *, authorization: str | None, origin: str | None, now: datetime
) -> MarketingEvent:
    """The event that a member of a request is, with `received_at` set. Raises `Refused`."""
    if cloudevents.is_structured(data):
        data = cloudevents.unwrap(data)
    event = event_of(data, now)
    source = known(sources, event.source)
    check_token(source, authorization)
    check_origin(source, origin)
    check_identified(event, source)
    return event.model_copy(update={"received_at": now, "source": source.id})


def check_identified(event: MarketingEvent, source: Source) -> None:
    """Raises `Refused` (`no_identifier`) where ingest would find nobody behind the event."""
    subject = event.subject
    if usable_id(subject.external_id) or usable_id(subject.anonymous_id):
        return
    if subject.email and contacts.email(subject.email):
        return
    if not subject.phone or not contacts.phone(subject.phone, source.region):
        raise no_identifier(event)
