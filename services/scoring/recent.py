"""The leads that were worked on last: what the rules said of who they are, so that they need not be asked again.

It is only taken from here where the state still holds the very bytes that the lead was stored as; so what a round that
was given up has left behind is never used, nor what another worker has overtaken. The profile is decoded anew each
time: kept as it is, it would be fifty objects a lead, and to let go of those costs more than to make them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from services.scoring.profile import decode
from services.scoring.score import NOBODY, Lead
from services.scoring.who import Segments, recalled

MOST: Final = 100_000
"""So many leads are kept, those that were stored last: about 130 MB of them."""


class RecentLeads:
    """A bounded memory of leads by key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[bytes, bytes, Segments]] = OrderedDict()

    def lead(self, key: bytes, stored: bytes | None) -> Lead:
        """The lead that is stored as `stored` (None: one that nobody has heard of)."""
        if stored is None:
            return NOBODY
        profile = decode(stored)
        known = self._kept.get(key)
        if known is None or known[0] != stored:
            return Lead(profile)
        _, gist, segments = known
        return Lead(profile, recalled(profile, gist, segments))

    def keep(self, key: bytes, stored: bytes, lead: Lead) -> None:
        """`lead` is about to be stored as `stored`."""
        if lead.who is None:
            return
        self._kept[key] = (stored, lead.who.gist, lead.who.segments)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
