"""The account of a score: a line a rule, a line a cap that bit, and the score that the lines add up to.

Arithmetic is in whole units (`services.scoring.cents`). The total is cut, then rounded to cents; the lines share the
cents of the total, so that they add up to the score as it is shown. No line is moved by more than two cents for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import fsum
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import msgspec

from services.scoring.cents import CENT, UNIT, apportioned, to_cents, to_units
from services.scoring.decay import worth
from services.scoring.rulebook import EngagementRule, FitRule, Limit, Ruleset
from services.scoring.signals import times
from services.scoring.vocabulary import View

Kind = Literal["fit", "engagement"]

_SECOND: Final = 1_000_000
_order = attrgetter("order")
_units_of = lru_cache(to_units)


class Line(NamedTuple):
    """One line, before rounding, in units: what the rule gives now, and what it gave without age."""

    rule: str
    units: int
    from_units: int
    detail: str
    group: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of an account, in points of two decimals: as `schemas.Explanation` has it."""

    rule: str
    kind: Kind
    points: float
    from_points: float
    detail: str


class Account(NamedTuple):
    """A score and the lines that add up to it."""

    score: float
    entries: list[Entry]


def fit_lines(view: View, now: float, rules: Sequence[FitRule]) -> list[Line]:
    """Lines of the fit rules that hold, at `now` (seconds since the epoch)."""
    return [Line(rule.id, rule.units, rule.units, rule.words, rule.group) for rule in rules if rule.holds(view, now)]


def engagement_lines(signals: Mapping[str, bytes], at: int, ruleset: Ruleset) -> list[Line]:
    """Lines of the signals that lie not after `at` (microseconds since the epoch), in the order of the file."""
    rules = [ruleset.engagement[name] for name in signals if name in ruleset.engagement]
    rules.sort(key=_order)
    lines: list[Line] = []
    for rule in rules:
        counted: Sequence[int] = times(signals[rule.id])  # at least one
        if counted[-1] > at:
            counted = counted[: bisect_right(counted, at)]
        if rule.limit is not None:
            counted = limited(counted, rule.limit)
        if counted:
            detail = rule.words if len(counted) == 1 else f"{len(counted)} × {rule.words}"
            lines.append(Line(rule.id, _units(counted, at, rule), rule.units * len(counted), detail, rule.group))
    return lines


def limited(ascending: Sequence[int], limit: Limit) -> Sequence[int]:
    """Those of the times (microseconds, ascending) that count: the first ones of each period."""
    if len(ascending) <= limit.times:
        return ascending
    counted: list[int] = []
    period, left = None, 0
    for time in ascending:
        here = limit.period(time / _SECOND)
        if here != period:
            period, left = here, limit.times
        if left:
            counted.append(time)
            left -= 1
    return counted


def account(kind: Kind, lines: list[Line], groups: Mapping[str, float], most: float) -> Account:
    """Cut each group at its maximum and the whole at 0 and `most`, and round. Lines that add nothing are left out."""
    whole = list(lines)
    total = 0
    by_group: dict[str, int] = {}
    for line in lines:
        total += line.units
        if line.group is not None:
            by_group[line.group] = by_group.get(line.group, 0) + line.units
    for name, group_max in groups.items():
        if (over := by_group.get(name, 0) - _units_of(group_max)) > 0:
            whole.append(Line(f"group:{name}", -over, -over, f"the group {name} gives {group_max:g} at most", name))
            total -= over
    over = total - _units_of(most)
    if over > 0:
        whole.append(Line(f"max:{kind}", -over, -over, f"{kind} ends at {most:g}"))
        total -= over
    elif total < 0:
        whole.append(Line(f"min:{kind}", -total, -total, f"{kind} does not fall below 0"))
        total = 0
    cents = to_cents(total)
    entries = [
        Entry(rule, kind, share / 100, to_cents(from_units) / 100, detail)
        for (rule, _, from_units, detail, _), share in zip(whole, _shares(whole, cents), strict=True)
        if share
    ]
    return Account(cents / 100, entries)


def _shares(lines: Sequence[Line], cents: int) -> list[int]:
    """What each line has of the total: first the groups share it, then the lines of each, so that no cap is passed."""
    units = [line.units for line in lines]
    shares = [of_one // CENT for of_one in units]
    if sum(units) == CENT * sum(shares):  # whole cents, all of them
        return shares
    members: dict[str | int, list[int]] = {}
    for index, line in enumerate(lines):
        members.setdefault(line.group or index, []).append(index)
    if len(members) == len(lines):
        return apportioned(units, cents)
    of_members = apportioned([sum([units[i] for i in inside]) for inside in members.values()], cents)
    for inside, share in zip(members.values(), of_members, strict=True):
        if len(inside) == 1:
            shares[inside[0]] = share
        else:
            for index, part in zip(inside, apportioned([units[i] for i in inside], share), strict=True):
                shares[index] = part
    return shares


def _units(counted: Sequence[int], at: int, rule: EngagementRule) -> int:
    """What the signals of a rule are worth at `at`, all together."""
    if rule.decay is None:
        return rule.units * len(counted)
    if len(counted) == 1:
        return round(worth(rule.points, (at - counted[0]) / _SECOND, rule.decay) * UNIT)
    return round(fsum([worth(rule.points, (at - time) / _SECOND, rule.decay) for time in counted]) * UNIT)
