"""What an engine remembers over sessions, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable

from streaming import metrics
from streaming.breaker import Breaker
from streaming.faust.assignment import Assignment, Partition
from streaming.probes import Readiness

ASSIGNED, RECOVERED, BREAKER, SETTLING = "assigned", "recovered", "breaker", "settling"


class Status:
    """Breaker, partitions kept, and readiness: assigned, recovered, breaker closed, no fault that has to pass first.

    `on_ready` is called once, in the engine's thread, when all of them hold for the first time.
    """

    def __init__(self, stage: str, breaker: Breaker, readiness: Readiness, on_ready: Callable[[], None]) -> None:
        self.stage, self.breaker, self.readiness = stage, breaker, readiness
        self.kept: dict[int, Partition] = {}
        self._on_ready: Callable[[], None] | None = on_ready
        self._waits = ""
        for name in (ASSIGNED, RECOVERED, BREAKER, SETTLING):
            readiness.set(self._named(name), ok=False, why="starting")

    def waits(self, why: str) -> None:
        """The stage stands still until a fault passes."""
        self._waits = why
        self.readiness.set(self._named(SETTLING), ok=False, why=why)

    def goes_on(self) -> None:
        """The fault has passed, or there was none."""
        self._waits = ""

    def lost(self, why: str) -> None:
        """No membership any more."""
        self.readiness.set(self._named(ASSIGNED), ok=False, why=why)

    def look(self, assignment: Assignment) -> None:
        """Set readiness by what is there now."""
        member, recovering = assignment.is_member, [part.number for part in assignment.waiting()]
        is_open = self.breaker.is_open
        metrics.BREAKER_OPEN.labels(self.stage).set(int(is_open))
        self.readiness.set(self._named(ASSIGNED), ok=member, why="" if member else "the group is forming")
        recovered = member and not recovering
        why = "" if recovered else f"partitions {recovering}" if recovering else "nothing is assigned yet"
        self.readiness.set(self._named(RECOVERED), ok=recovered, why=why)
        self.readiness.set(self._named(BREAKER), ok=not is_open, why=self.breaker.reason)
        self.readiness.set(self._named(SETTLING), ok=not self._waits, why=self._waits)
        if self._on_ready is not None and recovered and not is_open:
            tell, self._on_ready = self._on_ready, None
            tell()

    def _named(self, condition: str) -> str:
        return f"{self.stage}.{condition}"
