"""Where the broker does not hold a fetch that finds nothing, an idle engine fetches only now and then.

Apache Kafka holds it, for `fetch.wait.max.ms`. The embedded broker answers at once and is asked again at once,
thousands of times a second: a tenth of a core for each idle stage, and as much in the broker.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

QUIET_SECONDS = 1.0
"""So long nothing came before an engine rests."""
GLANCE_SECONDS = 1.0
"""So long, at most, an engine looks for records between two rests, until it has seen the end of all partitions."""


class Fetching(Protocol):
    """An assignment, as far as it concerns resting."""

    def fetch(self) -> None: ...  # noqa: D102
    def hold(self) -> None: ...  # noqa: D102
    def running(self) -> int: ...  # noqa: D102


class Rest:
    """Rests of `seconds` each; 0: never any. Partitions go on at our own offsets, so nothing is passed over."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self.seconds, self.clock = seconds, clock
        self._resting = self._glancing = False
        self._at_end: set[int] = set()
        self._ends = clock() + QUIET_SECONDS

    def patience(self, usual: float) -> float:
        """How long to wait for a record now."""
        return min(usual, max(0.0, self._ends - self.clock())) if self.seconds else usual

    def at_end(self, number: int) -> None:
        """Everything of this partition was seen."""
        self._at_end.add(number)

    def wake(self) -> None:
        """Partitions have changed, or records came: whoever makes partitions run lets them be fetched, too."""
        self._resting = self._glancing = False
        self._ends = self.clock() + QUIET_SECONDS

    def look(self, assignment: Fetching) -> None:
        """Nothing came: rest, or look for records, whichever it is time for."""
        if not self.seconds:
            return
        now = self.clock()
        if self._resting and now >= self._ends:
            self._resting, self._glancing, self._ends = False, True, now + GLANCE_SECONDS
            self._at_end.clear()
            assignment.fetch()
        elif not self._resting and (now >= self._ends or self._seen_all(assignment)):
            self._resting, self._ends = True, now + self.seconds
            assignment.hold()

    def _seen_all(self, assignment: Fetching) -> bool:
        return self._glancing and len(self._at_end) >= assignment.running()
