"""What is to be seen of a running Baton at one moment: values alone, for whatever shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StageSample:
    """One stage, all its workers together. Times in seconds; None where nothing was measured yet.

    `lag` is None where no worker can tell it: it has none, or it died and its successor is not assigned yet.
    """

    name: str
    records: int
    per_second: float
    p50: float | None
    p99: float | None
    lag: int | None
    failed: int
    workers: int
    restarts: int = 0
    breaker_open: bool = False


@dataclass(frozen=True, slots=True)
class RepSample:
    """A rep of a queue. `leads`: those that are with them, offered or accepted.

    `counted`: those since the candidates last changed, of which the share `due` (0 to 1) is theirs by weight; None
    where no share is kept.
    """

    rep: str
    leads: int
    counted: int = 0
    due: float | None = None


@dataclass(frozen=True, slots=True)
class QueueSample:
    """A queue: who has how much of it, and how many leads wait for somebody."""

    name: str
    reps: tuple[RepSample, ...]
    waiting: int = 0

    @property
    def leads(self) -> int:
        """Leads that are with somebody."""
        return sum(rep.leads for rep in self.reps)

    @property
    def counted(self) -> int:
        """Leads since the candidates last changed."""
        return sum(rep.counted for rep in self.reps)


@dataclass(frozen=True, slots=True)
class RoutedSample:
    """A lead that was routed. `who` is title and company, never an address; `seconds` from capture to assignment."""

    assignment_id: str
    at: datetime
    who: str
    queue: str
    rep: str | None
    rule: str
    why: str
    email: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it. `handoff`: p50 and p99, in seconds, of leads' way from capture to the sales queue."""

    at: datetime
    uptime: float
    stages: tuple[StageSample, ...] = ()
    queues: tuple[QueueSample, ...] = ()
    routed: tuple[RoutedSample, ...] = ()
    handoff: tuple[float, float] | None = None
