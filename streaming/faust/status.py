"""What an engine remembers over sessions, and what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from streaming import metrics
from streaming.breaker import Breaker
from streaming.faust.assignment import Assignment, Partition
from streaming.probes import Readiness

log = logging.getLogger(__name__)

ASSIGNED, RECOVERED, BREAKER, SETTLING = "assigned", "recovered", "breaker", "settling"
MOST_REASONS = 3


class Status:
    """Breaker, partitions kept, and readiness: assigned, recovered, breaker closed, no fault that has to pass first.

    `on_ready` is called once, in the engine's thread, when all of them hold for the first time.
    """

    def __init__(self, stage: str, breaker: Breaker, readiness: Readiness, on_ready: Callable[[], None]) -> None:
        self.stage, self.breaker, self.readiness = stage, breaker, readiness
        self.kept: dict[int, Partition] = {}
        self._on_ready: Callable[[], None] | None = on_ready
        self._waits = ""
        self._blamed = ""
        self._word: int | None = None
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

    def stopped(self, reasons: Mapping[str, int]) -> None:
        """The breaker has opened; `reasons` are the typed ones of the round that was not committed, with counts."""
        most = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
        self._blamed = ", ".join(f"{reason} × {count}" for reason, count in most)
        log.error("%s: the breaker is open: %s", self.stage, self._why())

    def close_breaker(self, allowance: int = 0) -> str:
        """An operator's word, from any thread: close it, and let so many failures pass; heeded before the next round.

        Gives why the stage stands still. An empty text where it does not: then nothing is let pass, and what an earlier
        word allowed is taken back.
        """
        why = self._why() if self.breaker.is_open else ""
        self._word = allowance if why else 0
        return why

    @property
    def heeded(self) -> bool:
        """Whether the operator's last word was taken."""
        return self._word is None

    def heed(self) -> None:
        """Do as the operator said. Called in the engine's thread, which alone may change the breaker."""
        if self._word is None:
            return
        allowance, self._word = self._word, None
        if self.breaker.is_open or self.breaker.allowance:
            self.breaker.close(allowance)
            log.warning("%s: the breaker was closed by hand; %d failures may pass", self.stage, allowance)

    def look(self, assignment: Assignment) -> None:
        """Set readiness by what is there now."""
        member, recovering = assignment.is_member, [part.number for part in assignment.waiting()]
        is_open = self.breaker.is_open
        metrics.BREAKER_OPEN.labels(self.stage).set(int(is_open))
        self.readiness.set(self._named(ASSIGNED), ok=member, why="" if member else "the group is forming")
        recovered = member and (is_open or not recovering)  # one that has stopped begins nothing
        why = "" if recovered else f"partitions {recovering}" if recovering else "nothing is assigned yet"
        self.readiness.set(self._named(RECOVERED), ok=recovered, why=why)
        metrics.BREAKER_ALLOWANCE.labels(self.stage).set(self.breaker.allowance)
        self.readiness.set(self._named(BREAKER), ok=not is_open, why=self._why())
        self.readiness.set(self._named(SETTLING), ok=not self._waits, why=self._waits)
        if self._on_ready is not None and recovered and not is_open:
            tell, self._on_ready = self._on_ready, None
            tell()

    def _why(self) -> str:
        """Why the stage stands still, and what ends that; while failures are let pass, how many may yet."""
        breaker = self.breaker
        if not (reason := breaker.reason):
            return f"closed by hand: {breaker.allowance} more failures may pass" if breaker.allowance else ""
        again = f"tries again every {breaker.resume_seconds:g} s" if breaker.resume_seconds else "waits for an operator"
        return f"{reason} ({self._blamed}); {again}" if self._blamed else f"{reason}; {again}"

    def _named(self, condition: str) -> str:
        return f"{self.stage}.{condition}"
