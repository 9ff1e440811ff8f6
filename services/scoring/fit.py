"""The account of fit, looked up: which leaves of the conditions hold decides it, and the same is found again and again.

Fit rules do not age, so nothing else is needed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.scoring.lines import Account, account, fit_lines
from services.scoring.lookups import Leaves, remember
from services.scoring.rule import FitRule
from services.scoring.vocabulary import View


class FitTable:
    """Gives the account of fit of whoever is looked at. `timely`: it may change with time alone."""

    def __init__(self, rules: Sequence[FitRule], groups: Mapping[str, float], most: float) -> None:
        self._rules, self._groups, self._most = tuple(rules), groups, most
        self._leaves = Leaves(rule.when for rule in rules)
        self._accounts: dict[int, Account] = {}
        self.timely = self._leaves.timely

    def account(self, view: View, now: float) -> Account:
        """The account at `now` (seconds since the epoch)."""
        found = self._leaves.found(view, now)
        said = self._accounts.get(found)
        if said is None:
            said = account("fit", fit_lines(view, now, self._rules), self._groups, self._most)
            remember(self._accounts, found, said)
        return said
