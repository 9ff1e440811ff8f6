"""Backpressure: routing takes no more leads while too many of the records that it made wait in the outbox.

Only the stage is held up, for what it has not taken may wait in Kafka, and nothing else bounds how much that is. Timers
and people's answers go on: the leads that stand in the ledger bound what they write, and an answer that had to wait
would let the very offer run out that it accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from time import monotonic

from services.routing.ledger import outbox
from services.routing.ledger.faults import told_apart
from services.routing.ledger.outbox import Backlog
from services.routing.ledger.store import Ledger, Unit
from streaming.stage import Move, TransientError

LOOK_SECONDS = 1.0
"""A look with room to spare is good for so long; so what a worker writes in a second comes on top of the bound."""


class Room:
    """Says whether there is room for more; `look` gives what waits. `clock`: monotonic seconds."""

    def __init__(self, most: int, look: Callable[[], Backlog], clock: Callable[[], float] = monotonic) -> None:
        self.most, self.look, self.clock = most, look, clock
        self._good_until = -LOOK_SECONDS

    def demand(self) -> None:
        """Raises TransientError where more than `most` records wait, and whatever `look` raises."""
        now = self.clock()
        if now < self._good_until:
            return
        found = self.look()
        if found.records > self.most:
            raise TransientError(
                f"the outbox is full: {found.records} records wait for the relay, the oldest for "
                f"{found.oldest_seconds:.0f} s; more than {self.most} (BATON_OUTBOX_MOST) may not. No lead is fetched "
                "until it gets on: routing.relay in /readyz says what keeps it; if nothing does, Kafka is slow"
            )
        self._good_until = now + LOOK_SECONDS


class BoundedOutbox:
    """The ledger as the store of the stage; while its outbox is full, no partition is begun and no round taken."""

    def __init__(self, ledger: Ledger, most: int, clock: Callable[[], float] = monotonic) -> None:
        """`most`: records that may wait in the outbox. `clock`: monotonic seconds."""
        self.ledger = ledger
        self.room = Room(most, self._look, clock)

    def origin(self, topic: str, found: str) -> str:
        """As the ledger's."""
        return self.ledger.origin(topic, found)

    def position(self, topic: str, partition: int) -> int | None:
        """As the ledger's. Asked here as well, since after a fault nothing is fetched before it is answered."""
        self.room.demand()
        return self.ledger.position(topic, partition)

    def round(self, topic: str, moves: Sequence[Move]) -> AbstractContextManager[Unit]:
        """As the ledger's. Raises `TransientError` where there is no room, too."""
        self.room.demand()
        return self.ledger.round(topic, moves)

    def _look(self) -> Backlog:
        with told_apart(), self.ledger.engine.connect() as connection:
            return outbox.backlog(connection)
