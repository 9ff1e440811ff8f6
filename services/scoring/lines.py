"""The account of a score: a line a rule, a line a cap that bit, and the score that the lines add up to.

Arithmetic is in whole units (`services.scoring.cents`). The total is cut, then rounded to cents; the lines share the
cents of the total, so that they add up to the score as it is shown. No line is moved by more than two cents for it.
The lines are kept as they are written into the record: an account is made for nearly every event.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import fsum
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from services.scoring.cents import CENT, UNIT, apportioned, to_cents, to_units
from services.scoring.rule import EngagementRule, FitRule, Limit
from services.scoring.signals import times
from services.scoring.vocabulary import View

Kind = Literal["fit", "engagement"]

Line: TypeAlias = tuple[bytes, int, bytes, str | None]
"""The JSON of a line up to its points, the points (in units), the JSON after them, and the line's group."""

_SECOND: Final = 1_000_000
_units_of = lru_cache(to_units)
_json = msgspec.json.Encoder().encode


class Account(NamedTuple):
    """A score, and the lines that add up to it: members of a JSON array, each as `schemas.Explanation` has it."""

    score: float
    lines: bytes


def fit_lines(view: View, now: float, rules: Sequence[FitRule]) -> list[Line]:
    """Lines of the fit rules that hold, at `now` (seconds since the epoch)."""
    return [
        (head(rule.id, "fit"), rule.units, rest(rule.units, rule.words), rule.group)
        for rule in rules
        if rule.holds(view, now)
    ]


def engagement_lines(signals: Mapping[str, bytes], rules: Sequence[EngagementRule], at: int) -> list[Line]:
    """Lines of the signals of `rules`, in their order, that lie not after `at` (microseconds since the epoch)."""
    lines: list[Line] = []
    for rule in rules:
        packed = signals[rule.id]  # one signal at least
        if len(packed) == 8:
            first = int.from_bytes(packed, "little", signed=True)
            if first <= at:
                units = rule.units if rule.fades is None else round(rule.fades((at - first) / _SECOND) * UNIT)
                lines.append((rule.head, units, rule.rest, rule.group))
            continue
        counted: Sequence[int] = times(packed)
        if counted[-1] > at:
            counted = counted[: bisect_right(counted, at)]
        if rule.limit is not None:
            counted = limited(counted, rule.limit)
        if counted:
            lines.append((rule.head, _units(counted, at, rule), rest(rule.units, rule.words, len(counted)), rule.group))
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
    if groups:
        lines = lines + _group_caps(lines, groups, kind)
    total = sum([line[1] for line in lines])
    over = total - _units_of(most)
    if over > 0:
        lines = [*lines, _cap(f"max:{kind}", kind, over, f"{kind} ends at {most:g}")]
        total -= over
    elif total < 0:
        lines = [*lines, _cap(f"min:{kind}", kind, total, f"{kind} does not fall below 0")]
        total = 0
    cents = to_cents(total)
    said: list[bytes] = []
    for (start, _, end, _), share in zip(lines, _shares(lines, cents), strict=True):
        if share:
            said += (start, _points(share), end)
    return Account(cents / 100, b"".join(said)[1:])


def head(rule: str, kind: Kind) -> bytes:
    """A line up to its points, with the comma that parts it from the one before."""
    return b',{"rule":%b,"kind":%b,"points":' % (_json(rule), _json(kind))


@lru_cache(maxsize=20_000)
def rest(units: int, words: str, times: int = 1) -> bytes:
    """A line after its points: what so many signals are worth without age, and the detail."""
    detail = words if times == 1 else f"{times} × {words}"
    return b',"from_points":%b,"detail":%b}' % (_points(to_cents(units * times)), _json(detail))


@lru_cache(maxsize=50_000)
def _points(cents: int) -> bytes:
    return _json(cents / 100)


def _cap(rule: str, kind: Kind, over: int, words: str, group: str | None = None) -> Line:
    return head(rule, kind), -over, rest(-over, words), group


def _group_caps(lines: Sequence[Line], groups: Mapping[str, float], kind: Kind) -> list[Line]:
    by_group: dict[str, int] = {}
    for _, units, _, group in lines:
        if group is not None:
            by_group[group] = by_group.get(group, 0) + units
    if not by_group:
        return []
    return [
        _cap(f"group:{name}", kind, over, f"the group {name} gives {group_max:g} at most", name)
        for name, group_max in groups.items()
        if (over := by_group.get(name, 0) - _units_of(group_max)) > 0
    ]


def _shares(lines: Sequence[Line], cents: int) -> list[int]:
    """What each line has of the total: first the groups share it, then the lines of each, so that no cap is passed."""
    units = [line[1] for line in lines]
    shares = [of_one // CENT for of_one in units]
    if sum(shares) == cents:  # nobody has a cent to get
        return shares
    members: dict[str | int, list[int]] = {}
    for index, line in enumerate(lines):
        members.setdefault(line[3] or index, []).append(index)
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
    fades = rule.fades
    if fades is None:
        return rule.units * len(counted)
    return round(fsum([fades((at - time) / _SECOND) for time in counted]) * UNIT)
