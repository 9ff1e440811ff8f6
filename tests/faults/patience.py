"""How long a run waits before it calls something a standstill: longer on a crowded machine, where all is slow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")

MOST_CROWDED = 5.0
"""However crowded it is, nothing is waited for longer than so many times."""


def crowd() -> float:
    """How many share each core now; 1 where nobody waits for one."""
    return min(MOST_CROWDED, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


class Patience:
    """So many seconds of a machine that is not crowded."""

    def __init__(self, seconds: float) -> None:
        self.left, self._seen, self._began = seconds, time.monotonic(), time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it has run out. A second counts for less the more crowded the machine is meanwhile."""
        now = time.monotonic()
        self.left -= (now - self._seen) / crowd()
        self._seen = now
        return self.left <= 0

    @property
    def waited(self) -> float:
        """Seconds on the clock."""
        return time.monotonic() - self._began


def in_time(condition: Callable[[], T | Literal[False] | None], seconds: float, what: str, every: float = 0.1) -> T:
    """As `tests.waiting.until`, with patience. Raises TimeoutError."""
    patience = Patience(seconds)
    while True:
        value = condition()
        if value:
            return value
        if patience.over:
            raise TimeoutError(f"waited {patience.waited:.0f} s for {what}; the last answer was {value!r}")
        time.sleep(every)
