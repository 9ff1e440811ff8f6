"""The scoring stage: `leads.events` in, `leads.scored` out; a profile a lead is its state.

What comes in: a `LeadEvent`, keyed by its lead (`services.scoring.inbox` reads it). State: the profile, as the bytes of
`services.scoring.profile.encode`, so that a million of them cost neither the collector of garbage nor a restart
anything. What goes out: the lead's score after the event (`services.scoring.score`), but nothing for an event that is
known already.
"""

from __future__ import annotations

from typing import Any, Final

from schemas.headers import INGESTED_AT, RECEIVED_AT, SCORED_AT, Headers, rfc3339
from schemas.ids import derived_id
from schemas.scored import ScoredLead
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, changelog, failed
from services.scoring import inbox
from services.scoring.event import Event
from services.scoring.profile import encode
from services.scoring.recent import RecentLeads
from services.scoring.rulebook import Ruleset
from services.scoring.score import Lead, score
from services.scoring.scored import Scored
from streaming.stage import Batch, Codec, Message, RecordError, Stage

NAME = "scoring"
SOURCE = "baton/scoring"


def make_stage(ruleset: Ruleset, prefix: str = "") -> Stage:
    """The stage, on topics with `prefix`."""
    scored_topic = prefix + LEADS_SCORED
    recent = RecentLeads()

    def handler(batch: Batch[bytes]) -> None:
        leads: dict[bytes, Lead] = {}
        changed: dict[bytes, Lead] = {}
        for message in batch.records:
            try:
                key, event = inbox.read(message)
            except RecordError as error:
                batch.fail(message, error.reason, error.detail)
                continue
            lead = leads.get(key)
            if lead is None:
                lead = leads[key] = recent.lead(key, batch.state.get(key))
            result = score(lead, event, ruleset)
            if result is None:
                batch.count("duplicate")
                continue
            leads[key] = changed[key] = result[0]
            batch.emit(scored_topic, key, result[1].to_json(), _headers(message, event, result[1]))
        for key, lead in changed.items():
            stored = encode(lead.profile)
            batch.state.put(key, stored)
            recent.keep(key, stored, lead)

    return Stage(
        name=NAME,
        source=prefix + LEADS_EVENTS,
        failed=prefix + failed(NAME),
        handler=handler,
        changelog=prefix + changelog(NAME),
        codec=Codec(dumps=_as_is, loads=_as_is),
        stamp=SCORED_AT,
        outputs=(scored_topic,),
    )


def _as_is(profile: Any) -> Any:
    return profile


_CE_VERSION: Final = ("ce_specversion", b"1.0")
_CE_SOURCE: Final = ("ce_source", SOURCE.encode())
_CE_TYPE: Final = ("ce_type", ScoredLead.ce_type.encode())
_JSON: Final = ("content-type", b"application/json")


def _headers(message: Message, event: Event, scored: Scored) -> Headers:
    """Headers of the outcome, as `schemas.headers.cloudevent` has them; the earlier clocks travel on.

    The door's comes from the event where no header has it.
    """
    received = ingested = None
    for name, value in message.headers() or ():
        if name == RECEIVED_AT:
            received = value if value is not None else received
        elif name == INGESTED_AT:
            ingested = value if value is not None else ingested
    headers = [
        _CE_VERSION,
        ("ce_id", derived_id("scored", event.lead_id, event.id).encode()),
        _CE_SOURCE,
        _CE_TYPE,
        ("ce_time", scored.as_of.encode()),
        _JSON,
        (RECEIVED_AT, _text(received) if received is not None else rfc3339(event.received_at).encode()),
    ]
    if ingested is not None:
        headers.append((INGESTED_AT, _text(ingested)))
    return headers


def _text(value: bytes) -> bytes:
    """`value` as UTF-8, whatever a stranger wrote."""
    return value if value.isascii() else value.decode(errors="replace").encode()
