"""Which events were seen, and when rules matched, packed: 13 bytes an event and 8 bytes a signal.

`seen` is a sorted run of entries, each the second of an event (5 bytes) and the fingerprint of its id (8), big-endian.
The signals of a rule are its sorted times in microseconds since the epoch, 8 bytes each, little-endian.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from struct import pack, unpack
from typing import Final

SECOND: Final = 1_000_000
_STAMP: Final = 5
ENTRY: Final = _STAMP + 8


def fingerprint(event_id: str) -> bytes:
    """Eight bytes that stand for an event id."""
    return blake2b(event_id.encode(), digest_size=8).digest()


def has(seen: bytes, mark: bytes) -> bool:
    """Whether the event with the fingerprint `mark` was seen."""
    at = seen.find(mark)
    while at >= 0 and at % ENTRY != _STAMP:
        at = seen.find(mark, at + 1)
    return at >= 0


def with_event(seen: bytes, at: int, mark: bytes) -> bytes:
    """`seen` and one event more, at `at` (microseconds since the epoch)."""
    entry = (at // SECOND).to_bytes(_STAMP) + mark
    if seen[-ENTRY:] < entry:  # in order of time, as nearly all are
        return seen + entry
    low, high = 0, len(seen) // ENTRY
    while low < high:
        middle = (low + high) // 2
        if seen[middle * ENTRY : (middle + 1) * ENTRY] < entry:
            low = middle + 1
        else:
            high = middle
    return seen[: low * ENTRY] + entry + seen[low * ENTRY :]


def oldest(seen: bytes) -> int:
    """The second of the oldest event; there is one."""
    return int.from_bytes(seen[:_STAMP])


def seen_after(seen: bytes, second: int) -> bytes:
    """`seen` without what lies in `second` or before."""
    start = 0
    while start < len(seen) and int.from_bytes(seen[start : start + _STAMP]) <= second:
        start += ENTRY
    return seen[start:]


def times(packed: bytes) -> tuple[int, ...]:
    """The times of a rule's signals, ascending, in microseconds since the epoch."""
    return unpack(f"<{len(packed) // 8}q", packed)


def with_signals(signals: Mapping[str, bytes], matched: Iterable[str], at: int) -> dict[str, bytes]:
    """`signals` and one more of each rule of `matched`, at `at` (microseconds since the epoch); rules are sorted."""
    new, one = dict(signals), at.to_bytes(8, "little", signed=True)
    added = False
    for rule in matched:
        known = new.get(rule)
        if known is None:
            new[rule] = one
            added = True
        elif int.from_bytes(known[-8:], "little", signed=True) <= at:  # in order of time, as nearly all are
            new[rule] = known + one
        else:
            ascending = list(times(known))
            insort(ascending, at)
            new[rule] = pack(f"<{len(ascending)}q", *ascending)
    return dict(sorted(new.items())) if added and len(new) > 1 else new


def since(signals: Mapping[str, bytes], start: int) -> dict[str, bytes]:
    """`signals` without those before `start` (microseconds since the epoch)."""
    cut = {rule: packed[8 * bisect_left(times(packed), start) :] for rule, packed in signals.items()}
    return {rule: packed for rule, packed in cut.items() if packed}
