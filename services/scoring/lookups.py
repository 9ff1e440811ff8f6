"""What conditions found, looked up: a leaf that does not look at the clock follows from the value of its field.

The same values come again and again; so which leaves hold is remembered by value, within bounds. The answer is the
same without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import NoneType
from typing import Any, Final, NamedTuple

from rules.condition import Condition, Leaf
from services.scoring.rule import EngagementRule, Holds

MOST: Final = 10_000
"""So many values of a field, or sets of leaves, are remembered; then all of them are forgotten."""

LONGEST: Final = 200
"""Longer texts are looked at each time."""

_PLAIN: Final = frozenset((str, int, NoneType))
"""Classes of which no two different values are equal; True and 1 would be."""

_TIMELY: Final = "within_last"


class _Look(NamedTuple):
    """The leaves that look at one field, each with its bit, and the bits by value, as far as known."""

    get: Callable[[Any], Any]
    leaves: tuple[tuple[int, Holds], ...]
    known: dict[Any, int]


class Leaves:
    """The leaves of some conditions, each of them once. `timely`: one of them looks at the clock."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        leaves = dict.fromkeys(leaf for condition in conditions for leaf, _ in condition.leaves())
        by_path: dict[str, list[tuple[int, Leaf]]] = {}
        for number, leaf in enumerate(leaves):
            by_path.setdefault(leaf.path, []).append((1 << number, leaf))
        self._looks: list[_Look] = []
        self._timely: list[tuple[int, Holds]] = []
        for inside in by_path.values():
            steady = tuple((bit, leaf.compile()) for bit, leaf in inside if leaf.operator != _TIMELY)
            self._timely += [(bit, leaf.compile()) for bit, leaf in inside if leaf.operator == _TIMELY]
            if steady:
                self._looks.append(_Look(inside[0][1].field.get, steady, {}))
        self.timely = bool(self._timely)

    def found(self, view: Any, now: float) -> int:
        """A bit for each leaf that holds of `view` at `now` (seconds since the epoch)."""
        found = 0
        for get, leaves, known in self._looks:
            value = get(view)
            if value.__class__ in _PLAIN:
                bits = known.get(value)
                if bits is None:
                    bits = _bits(leaves, view, now)
                    if value.__class__ is not str or len(value) <= LONGEST:
                        remember(known, value, bits)
            else:
                bits = _bits(leaves, view, now)
            found |= bits
        if self._timely:
            found |= _bits(self._timely, view, now)
        return found


class MatchTable:
    """Says which engagement rules an event of their type is a signal of."""

    def __init__(self, rules: Sequence[EngagementRule]) -> None:
        self._rules = tuple(rules)
        self._leaves = Leaves(rule.when for rule in rules if rule.when is not None)
        self._matched: dict[int, tuple[str, ...]] = {}

    def matched(self, view: Any, now: float) -> tuple[str, ...]:
        """Ids of the rules that hold of `view` at `now` (seconds since the epoch), in the order of the file."""
        found = self._leaves.found(view, now)
        known = self._matched.get(found)
        if known is None:
            known = tuple([rule.id for rule in self._rules if rule.holds is None or rule.holds(view, now)])
            remember(self._matched, found, known)
        return known


def remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep `value` in `known`, within bounds."""
    if len(known) >= MOST:
        known.clear()
    known[key] = value


def _bits(leaves: Sequence[tuple[int, Holds]], view: Any, now: float) -> int:
    found = 0
    for bit, holds in leaves:
        if holds(view, now):
            found |= bit
    return found
