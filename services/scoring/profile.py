"""What is remembered of a lead: a value that depends on the set of its events, never on their order. Bounded.

- Facts (subject, attributes): of each the value with the latest time, then the greater event id. They are kept in
  layers, one an event that still has a say. At most 50 unknown attributes, the latest ones.
- Campaigns: of the earliest and of the latest event that named one. Consent: the latest word on each purpose.
- Signals: the times at which engagement rules matched. Seen: fingerprints of events, so that a second record with a
  known event id changes nothing. Both reach back over the latest 1,000 events: where there are more, the oldest second
  with events in it falls out, and what lies in it or before it gives no points any more, whenever it arrives.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from struct import pack, unpack
from typing import Any, Final, NamedTuple

import msgspec

from services.scoring.event import EXTRA, Event

VERSION: Final = 1
MOST_EVENTS: Final = 1_000
MOST_EXTRAS: Final = 50
MOST_PURPOSES: Final = 100
MOST_VERDICTS: Final = 20
OF_EVENTS: Final = frozenset({"bot", "spam"})
"""Verdicts that speak of one event, not of the person: they hold for a lead while all of its events have them."""

_STAMP: Final = 5
_ENTRY: Final = _STAMP + 8
_SECOND: Final = 1_000_000


class Layer(NamedTuple):
    """The facts of one event that no later event has overruled."""

    at: int
    event_id: str
    facts: dict[str, Any]


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

    `seen` holds 13 bytes an event, sorted: its second and the fingerprint of its id, big-endian. `signals` holds, by
    rule, the sorted times as 8 bytes each, little-endian.
    """

    version: int = VERSION
    as_of: int = 0
    stage: str = "inquiry"
    since: int = 0
    layers: tuple[Layer, ...] = ()
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


def times(packed: bytes) -> tuple[int, ...]:
    """The times of a rule's signals, ascending, in microseconds since the epoch."""
    return unpack(f"<{len(packed) // 8}q", packed)


def fingerprint(event_id: str) -> bytes:
    """Eight bytes that stand for an event id."""
    return blake2b(event_id.encode(), digest_size=8).digest()


def has_seen(profile: Profile, event_id: str) -> bool:
    """Whether the event is one of those that the profile remembers."""
    mark = fingerprint(event_id)
    at = profile.seen.find(mark)
    while at >= 0 and at % _ENTRY != _STAMP:
        at = profile.seen.find(mark, at + 1)
    return at >= 0


def counts(profile: Profile, event: Event) -> bool:
    """Whether an event of this time can still give points."""
    return event.at // _SECOND > profile.horizon


def absorbed(profile: Profile, event: Event, matched: Iterable[str]) -> Profile:
    """`profile` with an event that it has not seen; `matched` are the engagement rules that the event is a signal of.

    Equal to `profile` where the event lies behind the horizon and says nothing that counts.
    """
    seen, signals, horizon = profile.seen, profile.signals, profile.horizon
    if counts(profile, event):
        seen = _inserted(seen, (event.at // _SECOND).to_bytes(_STAMP) + fingerprint(event.id))
        added = {rule: _with_time(signals.get(rule, b""), event.at) for rule in matched}
        signals = _sorted({**signals, **added}) if added else signals
        if len(seen) > MOST_EVENTS * _ENTRY:
            horizon = int.from_bytes(seen[:_STAMP])
            seen = _after(seen, horizon)
            signals = _since(signals, (horizon + 1) * _SECOND)
    told = frozenset(event.verdicts)
    return Profile(
        version=VERSION,
        as_of=max(profile.as_of, event.at),
        stage=profile.stage,
        since=profile.since,
        layers=_layered(profile.layers, event),
        first=_touched(profile.first, event, latest=False),
        last=_touched(profile.last, event, latest=True),
        consent=_consented(profile.consent, event),
        verdicts=tuple(sorted(told.union(profile.verdicts))[:MOST_VERDICTS]) if told else profile.verdicts,
        cleared=tuple(sorted((OF_EVENTS - told).union(profile.cleared))),
        horizon=horizon,
        seen=seen,
        signals=signals,
    )


def quality(profile: Profile) -> list[str]:
    """The verdicts that hold for the lead."""
    return [verdict for verdict in profile.verdicts if verdict not in profile.cleared]


def facts(profile: Profile) -> dict[str, Any]:
    """Subject and attributes as known now, by name."""
    known: dict[str, Any] = {}
    for layer in profile.layers:
        known.update(layer.facts)
    return known


def _inserted(seen: bytes, entry: bytes) -> bytes:
    if seen[-_ENTRY:] < entry:  # in order of time, as nearly all are
        return seen + entry
    low, high = 0, len(seen) // _ENTRY
    while low < high:
        middle = (low + high) // 2
        if seen[middle * _ENTRY : (middle + 1) * _ENTRY] < entry:
            low = middle + 1
        else:
            high = middle
    return seen[: low * _ENTRY] + entry + seen[low * _ENTRY :]


def _after(seen: bytes, horizon: int) -> bytes:
    start = 0
    while start < len(seen) and int.from_bytes(seen[start : start + _STAMP]) <= horizon:
        start += _ENTRY
    return seen[start:]


def _with_time(packed: bytes, at: int) -> bytes:
    known = list(times(packed))
    insort(known, at)
    return pack(f"<{len(known)}q", *known)


def _since(signals: Mapping[str, bytes], start: int) -> dict[str, bytes]:
    cut = {rule: packed[8 * bisect_left(times(packed), start) :] for rule, packed in signals.items()}
    return {rule: packed for rule, packed in cut.items() if packed}


def _sorted(signals: Mapping[str, bytes]) -> dict[str, bytes]:
    return dict(sorted(signals.items()))


def _layered(layers: tuple[Layer, ...], event: Event) -> tuple[Layer, ...]:
    if not event.facts:
        return layers
    key = (event.at, event.id)
    new = dict(event.facts)
    below: list[Layer] = []
    above: list[Layer] = []
    for layer in layers:
        if layer[:2] > key:
            above.append(layer)
            for name in layer.facts:
                new.pop(name, None)
        else:
            below.append(layer)
    if not new:
        return layers
    kept = [Layer(at, event_id, {n: v for n, v in old.items() if n not in new}) for at, event_id, old in below]
    whole = [*(layer for layer in kept if layer.facts), Layer(*key, dict(sorted(new.items()))), *above]
    return _within_extras(whole)


def _within_extras(layers: list[Layer]) -> tuple[Layer, ...]:
    over = sum(name.startswith(EXTRA) for layer in layers for name in layer.facts) - MOST_EXTRAS
    while over > 0:
        index = next(i for i, layer in enumerate(layers) if any(name.startswith(EXTRA) for name in layer.facts))
        oldest = layers[index]
        name = max(name for name in oldest.facts if name.startswith(EXTRA))
        layers[index] = oldest._replace(facts={n: v for n, v in oldest.facts.items() if n != name})
        if not layers[index].facts:
            del layers[index]
        over -= 1
    return tuple(layers)


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
