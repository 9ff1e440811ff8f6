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
from services.scoring.signals import ENTRY, SECOND, has, oldest, seen_after, since, with_event, with_signals

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


def has_seen(profile: Profile, mark: bytes) -> bool:
    """Whether the event with this fingerprint is one of those that the profile remembers."""
    return has(profile.seen, mark)


def counts(profile: Profile, event: Event) -> bool:
    """Whether an event of this time can still give points."""
    return event.at // SECOND > profile.horizon


def absorbed(profile: Profile, event: Event, mark: bytes, matched: Iterable[str]) -> Profile:
    """`profile` with an event that it has not seen; `matched` are the engagement rules that the event is a signal of.

    `mark` is the event's fingerprint. Equal to `profile` where the event lies behind the horizon and says nothing that
    counts.
    """
    seen, signals, horizon = profile.seen, profile.signals, profile.horizon
    if counts(profile, event):
        seen = with_event(seen, event.at, mark)
        if matched:
            signals = with_signals(signals, matched, event.at)
        if len(seen) > MOST_EVENTS * ENTRY:
            horizon = oldest(seen)
            seen, signals = seen_after(seen, horizon), since(signals, (horizon + 1) * SECOND)
    verdicts, cleared = profile.verdicts, profile.cleared
    if event.verdicts:
        told = frozenset(event.verdicts)
        verdicts = tuple(sorted(told.union(verdicts))[:MOST_VERDICTS])
        if cleared != _ALL_OF_EVENTS:
            cleared = tuple(sorted((OF_EVENTS - told).union(cleared)))
    else:
        cleared = _ALL_OF_EVENTS
    return Profile(
        VERSION,
        max(profile.as_of, event.at),
        profile.stage,
        profile.since,
        with_facts(profile.layers, event) if event.facts else profile.layers,
        _touched(profile.first, event, latest=False) if event.campaign else profile.first,
        _touched(profile.last, event, latest=True) if event.campaign else profile.last,
        _consented(profile.consent, event) if event.consent else profile.consent,
        verdicts,
        cleared,
        horizon,
        seen,
        signals,
    )


def quality(profile: Profile) -> list[str]:
    """The verdicts that hold for the lead."""
    return [verdict for verdict in profile.verdicts if verdict not in profile.cleared]


def _touched(known: Touch | None, event: Event, *, latest: bool) -> Touch:
    touch = Touch(event.at, event.id, dict(event.campaign or {}))
    if known is None or (touch[:2] > known[:2]) == latest:
        return touch
    return known


def _consented(consent: dict[str, Word], event: Event) -> dict[str, Word]:
    new = dict(consent)
    for purpose, at, granted in event.consent:
        word = Word(at, event.id, granted)
        if purpose not in new or word[:2] >= new[purpose][:2]:
            new[purpose] = word
    while len(new) > MOST_PURPOSES:
        del new[min(new, key=lambda purpose: (*new[purpose][:2], purpose))]
    return dict(sorted(new.items()))
