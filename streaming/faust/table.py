"""A partition's state: values by key, in memory, or in memory on top of what lies on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from streaming.faust.spool import Spool
from streaming.faust.state_file import Below, StateFile
from streaming.run import merge
from streaming.stage import MISSING


class Table:
    """Up to three layers, the upper ones first: what changed lately, what is being written to a file, what is on disk.

    That is such a file or, until the first is written, the spool of a changelog.
    In a layer that has another one below it, None says that a key was deleted. `tail` counts the records that came
    on top of the file. `origin` is the identity of the changelog that all of it comes from; empty where none is known.
    """

    __slots__ = ("below", "frozen", "loads", "origin", "recent", "tail")

    def __init__(self, origin: str = "") -> None:
        self.origin = origin
        self.recent: dict[bytes, Any] = {}
        self.frozen: dict[bytes, Any] | None = None
        self.below: Below | None = None
        self.loads: Callable[[bytes], Any] = bytes
        self.tail = 0

    @property
    def flat(self) -> bool:
        """Whether all of it is in one layer."""
        return self.below is None and self.frozen is None

    def view(self) -> Mapping[bytes, Any]:
        """What a round reads: the plain dict where that is all."""
        return self.recent if self.flat else cast("Mapping[bytes, Any]", self)

    def get(self, key: bytes) -> Any:
        """The value of `key`, or None."""
        hit = self.recent.get(key, MISSING)
        if hit is MISSING and self.frozen is not None:
            hit = self.frozen.get(key, MISSING)
        if hit is not MISSING:
            return hit
        raw = self.below.get(key) if self.below is not None else None
        return None if raw is None else self.loads(raw)

    def take(self, writes: dict[bytes, Any]) -> None:
        """Take the writes of a committed round over; None forgets a key."""
        self.tail += len(writes)
        if self.flat:
            merge(self.recent, writes)
        else:
            self.recent.update(writes)

    def rest_on(self, below: Below, loads: Callable[[bytes], Any]) -> None:
        """Take what `below` holds for all there is."""
        self.recent, self.frozen, self.below, self.loads, self.tail = {}, None, below, loads, 0

    def lift(self) -> None:
        """Take a spool, on which nothing lies yet, into memory."""
        if not isinstance(self.below, Spool) or self.recent or self.frozen is not None:
            raise AssertionError("not a spool alone")
        below, self.below = self.below, None
        for key in list(below.starts):
            self.recent[key] = self.loads(cast("bytes", below.get(key)))
            del below.starts[key]

    def freeze(self) -> dict[bytes, Any]:
        """The upper layer, which does not change from now on; `settle` or `thaw` ends that."""
        if self.frozen is not None:
            raise AssertionError("frozen twice")
        self.frozen, self.recent, self.tail = self.recent, {}, 0
        return self.frozen

    def settle(self, below: StateFile, loads: Callable[[bytes], Any]) -> None:
        """`below` holds the frozen layer, and what was below it."""
        self.frozen, self.below, self.loads = None, below, loads

    def thaw(self, tail: int) -> None:
        """The frozen layer was not written: it is the upper one again. `tail` is what it counted."""
        if self.frozen is None:
            raise AssertionError("not frozen")
        self.recent, newer, self.frozen = self.frozen, self.recent, None
        self.tail += tail
        if self.flat:
            merge(self.recent, newer)
        else:
            self.recent.update(newer)

    @property
    def on_file(self) -> bool:
        """Whether a file that outlives the process lies below."""
        return isinstance(self.below, StateFile)

    @property
    def size(self) -> int:
        """How many keys there are, at most."""
        below = self.below.keys if self.below is not None else 0
        return len(self.recent) + len(self.frozen or ()) + below

    def contents(self) -> dict[bytes, Any]:
        """All of it, for those who compare."""
        below = self.below
        found = {} if below is None else {key: self.get(key) for key, _ in below.places()}
        found |= (self.frozen or {}) | self.recent
        return {key: self.get(key) for key in found if self.get(key) is not None}
