"""What is remembered of a lead: a value that depends on the set of its events, never on their order. Bounded.

- Facts (subject, attributes): of each the value with the latest time, then the greater event id. They are kept in
  layers, one an event that still has a say. At most 50 unknown attributes, the latest ones.
- Campaigns: of the earliest and of the latest event that named one. Consent: the latest word on each purpose.
- Signals: the times at which engagement rules matched. Seen: fingerprints of events, so that a second record with a
  known event id changes nothing. Both reach back over the latest 1,000 events: where there are more, the oldest second
  with events in it falls out, and what lies in it or before it gives no points any more, whenever it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from services.scoring.event import Event
from services.scoring.layers import Layers, with_facts
from services.scoring.signals import ENTRY, SECOND, fingerprint, has, oldest, seen_after, since, with_event, with_time

VERSION: Final = 1
MOST_EVENTS: Final = 1_000
MOST_PURPOSES: Final = 100
MOST_VERDICTS: Final = 20
OF_EVENTS: Final = frozenset({"bot", "spam"})
"""Verdicts that speak of one event, not of the person: they hold for a lead while all of its events have them."""

_ALL_OF_EVENTS: Final = tuple(sorted(OF_EVENTS))


class Touch(NamedTuple):
    """A campaign, and the event that named it."""

    at: int
    event_id: str
    campaign: dict[str, Any]


class Word(NamedTuple):
    """A word on consent, and the event that brought it."""

    at: int
    event_id: str
    granted: bool


class Profile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One lead. Times are in microseconds since the epoch, `horizon` in seconds.

    `seen` and the values of `signals` (by rule) are packed as `services.scoring.signals` has it.
    """

    version: int = VERSION
    as_of: int = 0
    stage: str = "inquiry"
    since: int = 0
    layers: Layers = ()
    first: Touch | None = None
    last: Touch | None = None
    consent: dict[str, Word] = {}
    verdicts: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    horizon: int = -1
    seen: bytes = b""
    signals: dict[str, bytes] = {}


EMPTY: Final = Profile()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Profile)


def encode(profile: Profile) -> bytes:
    """The profile as bytes: equal profiles give equal bytes."""
    return _encoder.encode(profile)


def decode(data: bytes) -> Profile:
    """A profile from its bytes. Raises `msgspec.DecodeError`."""
    return _decoder.decode(data)


def has_seen(profile: Profile, event: Event) -> bool:
    """Whether the event is one of those that the profile remembers."""
    return has(profile.seen, fingerprint(event.id))


def counts(profile: Profile, event: Event) -> bool:
    """Whether an event of this time can still give points."""
    return event.at // SECOND > profile.horizon


def absorbed(profile: Profile, event: Event, matched: Iterable[str]) -> Profile:
    """`profile` with an event that it has not seen; `matched` are the engagement rules that the event is a signal of.

    Equal to `profile` where the event lies behind the horizon and says nothing that counts.
    """
    seen, signals, horizon = profile.seen, profile.signals, profile.horizon
    if counts(profile, event):
        seen = with_event(seen, event.at, fingerprint(event.id))
        added = {rule: with_time(signals.get(rule, b""), event.at) for rule in matched}
        if added:
            known, signals = signals.keys(), {**signals, **added}
            if not added.keys() <= known:
                signals = dict(sorted(signals.items()))
        if len(seen) > MOST_EVENTS * ENTRY:
            horizon = oldest(seen)
            seen, signals = seen_after(seen, horizon), since(signals, (horizon + 1) * SECOND)
    told = frozenset(event.verdicts)
    cleared = profile.cleared
    if cleared != _ALL_OF_EVENTS:
        cleared = tuple(sorted((OF_EVENTS - told).union(cleared)))
    return Profile(
        version=VERSION,
        as_of=max(profile.as_of, event.at),
        stage=profile.stage,
        since=profile.since,
        layers=with_facts(profile.layers, event),
        first=_touched(profile.first, event, latest=False),
        last=_touched(profile.last, event, latest=True),
        consent=_consented(profile.consent, event),
        verdicts=tuple(sorted(told.union(profile.verdicts))[:MOST_VERDICTS]) if told else profile.verdicts,
        cleared=cleared,
        horizon=horizon,
        seen=seen,
        signals=signals,
    )


def quality(profile: Profile) -> list[str]:
    """The verdicts that hold for the lead."""
    return [verdict for verdict in profile.verdicts if verdict not in profile.cleared]


def _touched(known: Touch | None, event: Event, *, latest: bool) -> Touch | None:
    if event.campaign is None:
        return known
    touch = Touch(event.at, event.id, dict(event.campaign))
    if known is None or (touch[:2] > known[:2]) == latest:
        return touch
    return known


def _consented(consent: dict[str, Word], event: Event) -> dict[str, Word]:
    if not event.consent:
        return consent
    new = dict(consent)
    for purpose, at, granted in event.consent:
        word = Word(at, event.id, granted)
        if purpose not in new or word[:2] >= new[purpose][:2]:
            new[purpose] = word
    while len(new) > MOST_PURPOSES:
        del new[min(new, key=lambda purpose: (*new[purpose][:2], purpose))]
    return dict(sorted(new.items()))
