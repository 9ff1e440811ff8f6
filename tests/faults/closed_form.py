"""Events of a closed form: what must come of each key follows from the key and the number of events, and from no run.

Event i belongs to key i mod KEYS. Of each key's good events, in order, a count and a checksum are kept; the checksum
depends on the order. Some good ones delete what is kept of their key, which begins anew then. Some events are bad on
purpose, alone, in bursts that stay below what opens the breaker, and in a rare one that opens it.

The worker that is judged by this has its own lines for it (`program.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

KEYS = 512
PARTITIONS = 4
_MODULUS = (1 << 61) - 1

FIRST_LONG_BURST = 60_000

REASONS = {b"!": "schema_violation", b"?": "handler_error", b"+": "too_large"}


class Sum(NamedTuple):
    """State of a key."""

    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody calls of a sum
    checksum: int

    def after(self, event: int) -> Sum:
        """The state once a good event of the key came."""
        if deletes(event):
            return NOTHING
        return Sum(self.count + 1, (self.checksum * 1_000_003 + event + 1) % _MODULUS)


NOTHING = Sum(0, 0)


def key_of(event: int) -> bytes:
    return b"k%d" % (event % KEYS)


def partition_of(event: int) -> int:
    return event % KEYS % PARTITIONS


def fault_of(event: int) -> bytes:
    """Why an event is bad, in a letter; empty for a good one.

    `!` is said to be bad by the handler, of `?` it raises, of `+` it makes an output that no topic takes.
    """
    if (event % 6_000 < 40 and event >= 6_000) or opens_the_breaker(event):
        return b"!"
    if event % 211 == 7:
        return b"?"
    return b"+" if event % 20_011 == 11 else b""


def opens_the_breaker(event: int) -> bool:
    """So many bad ones follow each other that each of two workers has had enough."""
    return FIRST_LONG_BURST <= event % 400_000 < FIRST_LONG_BURST + 320


def deletes(event: int) -> bool:
    """Whether a good event deletes what is kept of its key: each key has one in 97 of those."""
    return event % 97 == 5 and not fault_of(event)


def value_of(event: int) -> bytes:
    return (b"-" if deletes(event) else fault_of(event)) + b"%d" % event


def good_events(key: int, events: int, too_large: bool) -> Iterator[int]:
    """Those events of a key, of so many in all, that must be reflected; `too_large`: whether `+` counts as bad."""
    for event in range(key, events, KEYS):
        fault = fault_of(event)
        if not fault or (fault == b"+" and not too_large):
            yield event


def end_of(key: int, events: int, too_large: bool) -> Sum:
    """The state that a key must have in the end."""
    state = NOTHING
    for event in good_events(key, events, too_large):
        state = state.after(event)
    return state
