"""What a ruleset is made of: values, compiled and frozen. `services.scoring.ruleset` reads them from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rules import durations
from rules.condition import Condition
from rules.faults import Fault
from services.scoring.decay import Decay

if TYPE_CHECKING:
    from services.scoring.fit import FitTable
    from services.scoring.lookups import MatchTable

Holds = Callable[[Any, float], bool]

_MOST_ORDERED = 10_000
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


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All that scoring goes by. `grade_fit` and `grade_engagement` hold the lowest scores, best first."""

    rules_hash: str
    fit: tuple[FitRule, ...]
    fit_max: float
    engagement: Mapping[str, EngagementRule]
    engagement_max: float
    fit_groups: Mapping[str, float]
    engagement_groups: Mapping[str, float]
    grade_fit: tuple[float, float, float]
    grade_engagement: tuple[float, float, float]
    fit_table: FitTable
    segments: tuple[Segment, ...] = ()
    mql: Condition | None = None
    mql_holds: Holds | None = None
    hand_raise: frozenset[str] = frozenset()
    cool_down: float = 30 * 86_400.0
    by_type: Mapping[str, MatchTable] = field(default_factory=dict)
    """Engagement rules by the type of event that they look at."""

    notices: tuple[Fault, ...] = ()
    """What is no fault but worth knowing: conditions that can never hold, or always do."""

    _ordered: dict[tuple[str, ...], tuple[EngagementRule, ...]] = field(default_factory=dict, repr=False)

    def of_signals(self, ids: tuple[str, ...]) -> tuple[EngagementRule, ...]:
        """Those of the rules that are still there, in the order of the file."""
        known = self._ordered.get(ids)
        if known is None:
            rules = [self.engagement[name] for name in ids if name in self.engagement]
            known = tuple(sorted(rules, key=lambda rule: rule.order))
            if len(self._ordered) >= _MOST_ORDERED:
                self._ordered.clear()
            self._ordered[ids] = known
        return known

    def grade(self, fit: float, engagement: float) -> str:
        """Letter and digit of two rounded scores."""
        a, b, c = self.grade_fit
        one, two, three = self.grade_engagement
        letter = "A" if fit >= a else "B" if fit >= b else "C" if fit >= c else "D"
        digit = "1" if engagement >= one else "2" if engagement >= two else "3" if engagement >= three else "4"
        return letter + digit
