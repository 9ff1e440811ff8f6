"""The leads that were worked on last: what the rules said of who they are, so that they need not be asked again.

It is only taken from here where the state still holds the very bytes that the lead was stored as; so what a round that
was given up has left behind is never used, nor what another worker has overtaken. The profile is decoded anew each
time: kept as it is, it would be fifty objects a lead, and to let go of those costs more than to make them.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from services.scoring.profile import decode
from services.scoring.score import NOBODY, Lead
from services.scoring.who import Segments, recalled

MOST_BYTES: Final = 210_000_000
"""So much is kept, of the leads that were stored last: of about 100,000, as most are."""
BESIDE_BYTES: Final = 600
"""What a lead takes beside its own bytes, as measured: 2.1 kB in all where those are 1.5 kB."""


class _Kept(NamedTuple):
    stored: bytes
    gist: bytes
    segments: Segments

    @property
    def size(self) -> int:
        return len(self.stored) + len(self.gist) + BESIDE_BYTES


class RecentLeads:
    """A bounded memory, by the key of a lead."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def lead(self, key: bytes, stored: bytes | None) -> Lead:
        """The lead that is stored as `stored` (None: one that nobody has heard of)."""
        if stored is None:
            return NOBODY
        profile = decode(stored)
        known = self._kept.get(key)
        if known is None or known.stored != stored:
            return Lead(profile)
        return Lead(profile, recalled(profile, known.gist, known.segments))

    def keep(self, key: bytes, stored: bytes, lead: Lead) -> None:
        """`lead`, which was just scored, is about to be stored as `stored`."""
        assert lead.who is not None
        before = self._kept.pop(key, None)
        if before is not None:
            self._bytes -= before.size
        self._kept[key] = kept = _Kept(stored, lead.who.gist, lead.who.segments)
        self._bytes += kept.size
        while self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
