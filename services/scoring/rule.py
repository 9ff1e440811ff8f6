"""The rules that scoring goes by, each a value: compiled and frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rules import durations
from rules.condition import Condition
from services.scoring.decay import Decay

Holds = Callable[[Any, float], bool]

WEEK = 7 * 86_400
_MONDAY = 4 * 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """The first `times` occurrences in each `per` seconds count; periods are aligned to UTC, weeks begin on Monday."""

    times: int
    per: float

    def period(self, at: float) -> int:
        """Number of the period that `at` (seconds since the epoch) lies in."""
        start = _MONDAY if self.per % WEEK == 0 else 0  # the epoch was a Thursday
        return int((at - start) // self.per)


@dataclass(frozen=True, slots=True)
class FitRule:
    """Who they are. `units` are the points in units (`services.scoring.cents`)."""

    id: str
    points: float
    when: Condition
    holds: Holds
    words: str
    group: str | None = None
    units: int = 0


@dataclass(frozen=True, slots=True)
class EngagementRule:
    """What they did. `holds` None: every event of the type counts. `order` is its place in the file.

    `units` are the points in units (`services.scoring.cents`).
    """

    id: str
    on: str
    points: float
    order: int = 0
    when: Condition | None = None
    holds: Holds | None = None
    decay: Decay | None = None
    limit: Limit | None = None
    group: str | None = None
    words: str = ""
    units: int = 0
    fades: Callable[[float], float] | None = None
    """What a signal is worth at an age in seconds (`services.scoring.decay.fading`); None: always its points."""

    head: bytes = b""
    rest: bytes = b""
    """A line of one signal as it is written, before and after its points (`services.scoring.lines`)."""


def words_of(on: str, when: Condition | None, limit: Limit | None, decay: Decay | None) -> str:
    """What an engagement rule counts, and how it fades."""
    parts = [on + (f" where {when.words()}" if when else "")]
    if limit:
        parts.append(f"at most {limit.times} in {durations.words(limit.per)}")
    if decay:
        parts.append(decay.words(durations.words(decay.span)))
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of leads that rules speak of by name. `steady`: it follows from who they are, at any time."""

    id: str
    holds: Holds
    words: str
    steady: bool = False
