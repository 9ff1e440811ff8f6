"""How densely rounds follow each other. Pure: time is passed in."""

from __future__ import annotations

MOST_SECONDS = 0.025


class Pace:
    """After a round there is a pause as long as the round took, `most` seconds at most.

    A transaction costs much the same with one record or with a hundred. Without the pause each stage settles the few
    records that came during its last round, and in sum the stages, the broker and the database have more to do than
    they get done, from which the records wait for longer than the pauses are. A record that comes alone waits for none.
    """

    def __init__(self, most: float = MOST_SECONDS) -> None:
        self.most = most
        self._free_at = 0.0

    def ended(self, began: float, now: float) -> None:
        """A round that began at `began` is over."""
        self._free_at = now + min(self.most, now - began)

    def left(self, now: float) -> float:
        """Seconds until the next round ought to begin."""
        return max(0.0, self._free_at - now)
