"""The leads that were worked on last, as they were left: the next event of one finds it decoded.

A lead is only taken from here where the state still holds the very bytes that it was stored as; so what a round that
was given up has left behind is never used, nor what another worker has overtaken.

Where far more leads are on their way than are kept, few are found again, and to keep one costs more than it saves: the
one that makes room for it has long left the processor's caches. Then nothing new is kept for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from services.scoring.profile import decode
from services.scoring.score import NOBODY, Lead

MOST: Final = 25_000
"""So many leads are kept, those that were stored last: about 190 MB of them."""

TRIED: Final = 2
"""For so many leads asked for, in times of those that are kept, it is tried before it is judged whether it pays."""

REST: Final = 8
"""For so many, in the same way, nothing new is kept then."""

WORTH: Final = 0.5
"""The share of the leads asked for that has to be found: with fewer, it was cheaper to keep none."""


class RecentLeads:
    """A bounded memory of leads by key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[bytes, Lead]] = OrderedDict()
        self._asked = self._found = 0
        self._rests = False
        self._until = TRIED * most

    def lead(self, key: bytes, stored: bytes | None) -> Lead:
        """The lead that is stored as `stored` (None: one that nobody has heard of)."""
        if stored is None:
            return NOBODY
        if self._asked >= self._until:
            self._judge()
        self._asked += 1
        known = self._kept.get(key)
        if known is not None and known[0] == stored:
            self._found += 1
            return known[1]
        return Lead(decode(stored))

    def keep(self, key: bytes, stored: bytes, lead: Lead) -> None:
        """`lead` is about to be stored as `stored`."""
        if self._rests and key not in self._kept:
            return
        self._kept[key] = (stored, lead)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _judge(self) -> None:
        """After a rest it is tried again. What is not full yet has not been tried."""
        tried = not self._rests and len(self._kept) == self._most
        self._rests = tried and self._found < WORTH * self._asked
        self._until = (REST if self._rests else TRIED) * self._most
        self._asked = self._found = 0
