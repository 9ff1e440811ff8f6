"""The scoring stage: `leads.events` in, `leads.scored` out; a profile a lead is its state.

What comes in: a `LeadEvent`, keyed by its lead (`services.scoring.inbox` reads it). State: the profile, as the bytes of
`services.scoring.profile.encode`, so that a million of them cost neither the collector of garbage nor a restart
anything. What goes out: the lead's score after the event (`services.scoring.score`), but nothing for an event that is
known already.
"""

from __future__ import annotations

from typing import Any

from schemas.headers import INGESTED_AT, RECEIVED_AT, SCORED_AT, Headers, cloudevent, passed_on, rfc3339
from schemas.ids import derived_id
from schemas.scored import ScoredLead
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, changelog, failed
from services.scoring import inbox
from services.scoring.event import Event
from services.scoring.profile import Profile, decode, encode
from services.scoring.rulebook import Ruleset
from services.scoring.score import Scored, score
from streaming.stage import Batch, Codec, Message, RecordError, Stage

NAME = "scoring"
SOURCE = "baton/scoring"
_EARLIER = (RECEIVED_AT, INGESTED_AT)


def make_stage(ruleset: Ruleset, prefix: str = "") -> Stage:
    """The stage, on topics with `prefix`."""
    scored_topic = prefix + LEADS_SCORED

    def handler(batch: Batch[bytes]) -> None:
        profiles: dict[bytes, Profile | None] = {}
        changed: dict[bytes, Profile] = {}
        for message in batch.records:
            try:
                key, event = inbox.read(message)
            except RecordError as error:
                batch.fail(message, error.reason, error.detail)
                continue
            if key not in profiles:
                stored = batch.state.get(key)
                profiles[key] = decode(stored) if stored is not None else None
            result = score(profiles[key], event, ruleset)
            if result is None:
                batch.count("duplicate")
                continue
            profiles[key] = changed[key] = result[0]
            batch.emit(scored_topic, key, result[1].to_json(), _headers(message, event, result[1]))
        for key, profile in changed.items():
            batch.state.put(key, encode(profile))

    return Stage(
        name=NAME,
        source=prefix + LEADS_EVENTS,
        failed=prefix + failed(NAME),
        handler=handler,
        changelog=prefix + changelog(NAME),
        codec=Codec(dumps=_as_is, loads=_as_is),
        stamp=SCORED_AT,
    )


def _as_is(profile: Any) -> Any:
    return profile


def _headers(message: Message, event: Event, scored: Scored) -> Headers:
    """Headers of the outcome; the earlier clocks travel on, the door's from the event where no header has it."""
    clocks = passed_on(message.headers(), _EARLIER)
    if not clocks or clocks[0][0] != RECEIVED_AT:
        clocks.insert(0, (RECEIVED_AT, rfc3339(event.received_at).encode()))
    head = cloudevent(
        id=derived_id("scored", event.lead_id, event.id), source=SOURCE, type=ScoredLead.ce_type, time=scored.as_of
    )
    return [*head, *clocks]
