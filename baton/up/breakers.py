"""Says when the breaker of a stage opens, and when the stage goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from baton.up.health import health
from baton.up.snapshot import Snapshot


class Breakers:
    """Looks at each snapshot. `why` gives the reason of a stage that has stopped, in words."""

    def __init__(self, why: Callable[[str], str], notify: Callable[[str], None]) -> None:
        self._why, self._notify = why, notify
        self._open: set[str] = set()

    def look(self, snapshot: Snapshot) -> None:
        """Say what has changed since the last one."""
        for stage in snapshot.stages:
            if stage.breaker_open and stage.name not in self._open:
                self._open.add(stage.name)
                self._notify(f"{stage.name} has stopped: {self._why(stage.name)}. {mend(stage.name)}")
            elif stage.name in self._open and stage.workers and not stage.breaker_open:  # who says nothing is not well
                self._open.discard(stage.name)
                self._notify(f"{stage.name} goes on")


def mend(stage: str) -> str:
    """What a person can do about a stage that has stopped."""
    return f"To let it go on: baton resume {stage}"


def reason(stage: str, workers: Iterable[tuple[str, str]]) -> str:
    """Why `stage` has stopped, by the first of the workers (stage, address) that says so."""
    found = (health(address).stopped(stage) for name, address in workers if name == stage)
    return next(filter(None, found), "too much fails")
