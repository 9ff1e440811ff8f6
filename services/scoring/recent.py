"""The leads that were worked on last, as they were left: the next event of one finds it decoded.

A lead is only taken from here where the state still holds the very bytes that it was stored as; so what a round that
was given up has left behind is never used, nor what another worker has overtaken.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from services.scoring.profile import decode
from services.scoring.score import NOBODY, Lead

MOST: Final = 25_000
"""So many leads are kept, those that were stored last: about 190 MB of them."""


class RecentLeads:
    """A bounded memory of leads by key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[bytes, Lead]] = OrderedDict()

    def lead(self, key: bytes, stored: bytes | None) -> Lead:
        """The lead that is stored as `stored` (None: one that nobody has heard of)."""
        if stored is None:
            return NOBODY
        known = self._kept.get(key)
        if known is not None and known[0] == stored:
            return known[1]
        return Lead(decode(stored))

    def keep(self, key: bytes, stored: bytes, lead: Lead) -> None:
        """`lead` is about to be stored as `stored`."""
        self._kept[key] = (stored, lead)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
