"""The account of fit, looked up: what the conditions found decides it, and the same is found again and again.

Fit rules do not age, so the account follows from which leaves of their conditions hold; and a leaf that does not look
at the clock follows from the value of its field. Both are remembered, within bounds; the answer is the same without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, Final, NamedTuple

from rules.condition import Leaf
from services.scoring.lines import Account, account, fit_lines
from services.scoring.rulebook import FitRule, Holds
from services.scoring.vocabulary import View

MOST: Final = 10_000
"""So many values of a field, and so many accounts, are remembered; then all of them are forgotten."""

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


class FitTable:
    """Gives the account of fit of whoever is looked at."""

    def __init__(self, rules: Sequence[FitRule], groups: Mapping[str, float], most: float) -> None:
        self._rules, self._groups, self._most = tuple(rules), groups, most
        self._accounts: dict[int, Account] = {}
        leaves = dict.fromkeys(leaf for rule in rules for leaf, _ in rule.when.leaves())
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

    def account(self, view: View, now: float) -> Account:
        """The account at `now` (seconds since the epoch). It is shared: change nothing in it."""
        found = 0
        for get, leaves, known in self._looks:
            value = get(view)
            if value.__class__ in _PLAIN:
                bits = known.get(value)
                if bits is None:
                    bits = _bits(leaves, view, now)
                    if value.__class__ is not str or len(value) <= LONGEST:
                        _remember(known, value, bits)
            else:
                bits = _bits(leaves, view, now)
            found |= bits
        if self._timely:
            found |= _bits(self._timely, view, now)
        said = self._accounts.get(found)
        if said is None:
            said = account("fit", fit_lines(view, now, self._rules), self._groups, self._most)
            _remember(self._accounts, found, said)
        return said


def _bits(leaves: Sequence[tuple[int, Holds]], view: View, now: float) -> int:
    found = 0
    for bit, holds in leaves:
        if holds(view, now):
            found |= bit
    return found


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    if len(known) >= MOST:
        known.clear()
    known[key] = value
