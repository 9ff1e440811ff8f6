"""How much is measured: from `BENCH_EVENTS` to each peer's marks."""

from __future__ import annotations

import os
from dataclasses import dataclass

from bench.world import STEPS

EVENTS, ROUNDS, PARTITIONS = 200_000, 3, 4


@dataclass(frozen=True, slots=True)
class Marks:
    """A peer is measured from the `first` record whose work is done to the `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the bench. `events` are measured of a fast peer, in each of `rounds` rounds."""

    events: int = EVENTS
    rounds: int = ROUNDS
    only: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls) -> Plan:
        """`BENCH_EVENTS`, `BENCH_ROUNDS`, `BENCH_ONLY` (names of peers, with commas)."""
        only = tuple(name for name in os.environ.get("BENCH_ONLY", "").split(",") if name)
        return cls(int(os.environ.get("BENCH_EVENTS", EVENTS)), int(os.environ.get("BENCH_ROUNDS", ROUNDS)), only)

    @property
    def active(self) -> int:
        """Leads on their way at a time."""
        return max(500, self.events // 10 | 1)

    @property
    def warm(self) -> int:
        """Events until the work of one is the same whatever its place."""
        return STEPS * self.active

    @property
    def total(self) -> int:
        """Records of the source; some more than are measured, since nobody takes the partitions evenly."""
        return self.warm + 2 * self.events + self.events // 4

    def marks(self, share: float = 1.0, warm_events: float = 0.0) -> Marks:
        """Marks of a peer of which `share` of the events is measured, after `warm_events` of them to get warm."""
        first = self.warm + int(self.events * warm_events)
        return Marks(first, first + max(1_000, int(self.events * share)))
