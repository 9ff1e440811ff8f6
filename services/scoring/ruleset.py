"""Reads `scoring.yaml`: checked, compiled and frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rules import condition
from rules.condition import Condition
from rules.declaration import EACH, as_declared
from rules.document import Document
from rules.document import load as load_document
from rules.faults import Fault, FaultyConfiguration
from rules.lint import Placed, always_true, never_true
from rules.spelling import mend_for
from rules.vocabulary import Vocabulary
from services.scoring import lines, vocabulary
from services.scoring.cents import to_units
from services.scoring.decay import Decay, fading
from services.scoring.declared import DecayKeys, EngagementKeys, FitKeys, GroupKeys, LimitKeys, ScoringKeys
from services.scoring.fit import FitTable
from services.scoring.lookups import Leaves, MatchTable
from services.scoring.rule import EngagementRule, FitRule, Limit, Segment, words_of
from services.scoring.rulebook import Ruleset

__all__ = ["Ruleset", "load", "read"]

Loc = tuple[str | int, ...]

_MQL = "qualify.mql"
_CONDITIONS: Mapping[Loc, Vocabulary] = {
    ("fit", "rules", EACH, "when"): vocabulary.FIT,
    ("engagement", "rules", EACH, "when"): vocabulary.ENGAGEMENT,
    ("segments", EACH, "when"): vocabulary.SEGMENTS,
    ("qualify", "mql"): vocabulary.QUALIFY,
}
_LETTERS = ("A", "B", "C")
_DIGITS = (1, 2, 3)
_MOVING = frozenset({"engagement", "grade", "conversion_probability"})
"""What may change from event to event of one and the same person."""


def load(path: Path) -> Ruleset:
    """Read the file at `path`. Raises `FaultyConfiguration` with every fault of it."""
    return read(load_document(path))


def read(document: Document) -> Ruleset:
    """The ruleset that `document` declares. Raises `FaultyConfiguration` with every fault."""
    keys = as_declared(document, ScoringKeys, _CONDITIONS)
    checker = _Checker(document)
    checker.unique(("fit", "rules"), [rule.id for rule in keys.fit.rules])
    checker.unique(("engagement", "rules"), [rule.id for rule in keys.engagement.rules])
    checker.unique(("segments",), [segment.id for segment in keys.segments])
    checker.maxima("fit", keys.fit)
    checker.maxima("engagement", keys.engagement)
    engagement = {rule.id: rule for rule in checker.engagement_rules(keys.engagement)}
    mql = checker.qualify(keys)
    fit, fit_groups = checker.fit_rules(keys.fit), _maxima(keys.fit.groups)
    fit_table = FitTable(fit, fit_groups, keys.fit.max)
    by_type: dict[str, list[EngagementRule]] = {}
    for rule in engagement.values():
        by_type.setdefault(rule.on, []).append(rule)
    ruleset = Ruleset(
        rules_hash=document.digest,
        fit=fit,
        fit_max=keys.fit.max,
        engagement=engagement,
        engagement_max=keys.engagement.max,
        fit_groups=fit_groups,
        engagement_groups=_maxima(keys.engagement.groups),
        grade_fit=checker.thresholds("fit", keys.grade.fit, _LETTERS, keys.fit.max),
        grade_engagement=checker.thresholds("engagement", keys.grade.engagement, _DIGITS, keys.engagement.max),
        fit_table=fit_table,
        segments=checker.segments(keys, fit_table),
        mql=mql,
        mql_holds=mql.compile() if mql else None,
        hand_raise=frozenset(keys.qualify.hand_raise),
        cool_down=keys.recycle.cool_down,
        by_type={on: MatchTable(inside) for on, inside in by_type.items()},
    )
    if checker.faults:
        raise FaultyConfiguration(checker.faults)
    return replace(ruleset, notices=checker.notices())


@dataclass(slots=True)
class _Checker:
    """Gathers faults while it compiles; what is built beside a fault is thrown away with it."""

    document: Document
    faults: list[Fault] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)

    def fault(self, loc: Sequence[str | int], message: str, mend: str) -> None:
        self.faults.append(self.document.fault(loc, message, mend))

    def unique(self, loc: Loc, ids: list[str]) -> None:
        first: dict[str, int] = {}
        for index, name in enumerate(ids):
            if name in first:
                line = self.document.line((*loc, first[name]))
                self.fault((*loc, index, "id"), f"the id `{name}` stands twice (first on line {line})", "Rename one.")
            first.setdefault(name, index)

    def condition(self, name: str, data: Any, words: Vocabulary, loc: Loc) -> Condition | None:
        try:
            parsed = condition.parse(data, words, self.document, loc)
        except FaultyConfiguration as faulty:
            self.faults += faulty.faults
            return None
        self.placed.append(Placed(name, parsed, self.document.file, self.document.line(loc)))
        return parsed

    def notices(self) -> tuple[Fault, ...]:
        mql = [placed for placed in self.placed if placed.name == _MQL]
        return (*never_true(self.placed), *always_true(mql))

    def fit_rules(self, keys: FitKeys) -> tuple[FitRule, ...]:
        rules = []
        for index, rule in enumerate(keys.rules):
            loc: Loc = ("fit", "rules", index)
            self.points(rule.points, loc)
            self.group(rule.group, keys.groups, loc)
            when = self.condition(rule.id, rule.when, vocabulary.FIT, (*loc, "when"))
            if when is not None:
                units = to_units(rule.points)
                rules.append(FitRule(rule.id, rule.points, when, when.compile(), when.words(), rule.group, units))
        return tuple(rules)

    def engagement_rules(self, keys: EngagementKeys) -> list[EngagementRule]:
        rules = []
        for index, rule in enumerate(keys.rules):
            loc: Loc = ("engagement", "rules", index)
            self.points(rule.points, loc)
            self.group(rule.group, keys.groups, loc)
            when = None
            if "when" in rule.model_fields_set:
                when = self.condition(rule.id, rule.when, vocabulary.ENGAGEMENT, (*loc, "when"))
            holds = when.compile() if when else None
            decay, limit = _decay(rule.decay), _limit(rule.limit)
            units, words = to_units(rule.points), words_of(rule.on, when, limit, decay)
            rules.append(
                EngagementRule(
                    id=rule.id,
                    on=rule.on,
                    points=rule.points,
                    order=index,
                    when=when,
                    holds=holds,
                    decay=decay,
                    limit=limit,
                    group=rule.group,
                    words=words,
                    units=units,
                    fades=fading(rule.points, decay),
                    head=lines.head(rule.id, "engagement"),
                    rest=lines.rest(units, words),
                )
            )
        return rules

    def points(self, points: float, loc: Loc) -> None:
        if points == 0:
            self.fault((*loc, "points"), "the rule gives no points", "Give it some, or take it out.")
        self.two_decimals(points, (*loc, "points"))

    def maxima(self, which: str, keys: FitKeys | EngagementKeys) -> None:
        self.two_decimals(keys.max, (which, "max"))
        for name, group in keys.groups.items():
            self.two_decimals(group.max, (which, "groups", name, "max"))

    def two_decimals(self, points: float, loc: Loc) -> None:
        if round(points, 2) != points:
            self.fault(loc, "points have two decimals at most", f"Write {round(points, 2):.2f}.")

    def group(self, name: str | None, groups: Mapping[str, GroupKeys], loc: Loc) -> None:
        if name is not None and name not in groups:
            mend = mend_for(name, groups) if groups else f"Add `{name}: {{max: …}}` under `{loc[0]}.groups`."
            self.fault((*loc, "group"), f"unknown group `{name}`", mend)

    def thresholds(
        self, which: str, given: Mapping[Any, float], names: tuple[Any, ...], most: float
    ) -> tuple[float, float, float]:
        loc: Loc = ("grade", which)
        whole = ", ".join(map(str, names))
        for name in given:
            if name not in names:
                self.fault((*loc, name), f"unknown grade `{name}`", f"There are {whole}; what is below is the last.")
        missing = [str(name) for name in names if name not in given]
        if missing:
            self.fault(loc, f"the grade {', '.join(missing)} has no lowest score", f"Give one for each of {whole}.")
            return (0.0, 0.0, 0.0)
        first, second, third = (given[name] for name in names)
        if not first > second > third:
            mend = f"Give {names[0]} the highest score and {names[2]} the lowest."
            self.fault(loc, f"the scores of {whole} do not descend", mend)
        if third <= 0:
            self.fault((*loc, names[2]), "every lead would reach this", "Write a score above 0.")
        if first > most:
            self.fault((*loc, names[0]), f"no lead can reach {first:g}: the score ends at {most:g}", "Lower it.")
        return (first, second, third)

    def segments(self, keys: ScoringKeys, fit_table: FitTable) -> tuple[Segment, ...]:
        moving = {*_MOVING, "fit"} if fit_table.timely else _MOVING
        segments = []
        for index, segment in enumerate(keys.segments):
            when = self.condition(segment.id, segment.when, vocabulary.SEGMENTS, ("segments", index, "when"))
            if when is not None:
                steady = moving.isdisjoint(when.fields()) and not Leaves([when]).timely
                segments.append(Segment(segment.id, when.compile(), when.words(), steady))
        return tuple(segments)

    def qualify(self, keys: ScoringKeys) -> Condition | None:
        if "mql" in keys.qualify.model_fields_set:
            return self.condition(_MQL, keys.qualify.mql, vocabulary.QUALIFY, ("qualify", "mql"))
        if not keys.qualify.hand_raise:
            self.fault(("qualify",), "no lead can ever qualify", "Give `mql` a condition, or `hand_raise` types.")
        return None


def _decay(keys: DecayKeys | None) -> Decay | None:
    if keys is None:
        return None
    if keys.half_life is not None:
        return Decay("half_life", keys.half_life)
    if keys.linear is not None:
        return Decay("linear", keys.linear)
    return Decay("window", keys.window or 0.0)


def _limit(keys: LimitKeys | None) -> Limit | None:
    return Limit(keys.times, keys.per) if keys else None


def _maxima(groups: Mapping[str, GroupKeys]) -> dict[str, float]:
    return {name: group.max for name, group in groups.items()}
