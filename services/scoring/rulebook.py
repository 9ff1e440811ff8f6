"""A ruleset: all that scoring goes by. `services.scoring.ruleset` reads it from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.condition import Condition
from rules.faults import Fault
from services.scoring.fit import FitTable
from services.scoring.lookups import MatchTable
from services.scoring.rule import EngagementRule, FitRule, Holds, Segment

_MOST_ORDERED = 10_000


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
