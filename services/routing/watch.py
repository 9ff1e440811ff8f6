"""Whether the outbox drains: how much waits in it, and since when, as metrics and as a condition of readiness.

The look is a thread of its own, and the verdict needs no thread at all: a relay, a ledger or a broker that does not
answer holds up neither.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from services.routing.background import Background
from services.routing.ledger import Ledger, outbox
from services.routing.ledger.faults import told_apart
from services.routing.ledger.outbox import Backlog
from streaming import metrics
from streaming.stage import TransientError

log = logging.getLogger(__name__)

CONDITION = "routing.relay"
EVERY_SECONDS = 2.0
PATIENCE_SECONDS = 10.0


class Watched(Protocol):
    """A relay. `well_at`: monotonic seconds at which it last did what it should; `trouble`: what keeps it from it."""

    well_at: float
    trouble: str


class RelayWatch(Background):
    """Looks every other second between `start` and `stop`; `why` can be asked at any time, from any thread."""

    def __init__(self, ledger: Ledger, relay: Watched, clock: Callable[[], float] = monotonic) -> None:
        super().__init__("relay watch")
        self.ledger, self.relay, self.clock = ledger, relay, clock
        self._seen: Backlog | None = None
        self._seen_at = clock()

    def run(self) -> None:
        """Look until `stop`; a fault that passes is told, and shows in `why` when it lasts."""
        while True:
            try:
                self.look()
            except (TransientError, SQLAlchemyError) as exc:
                log.warning("the outbox cannot be looked at: %s", type(exc).__name__)
            if self._stopping.wait(EVERY_SECONDS):
                return

    def look(self) -> None:
        """Set the gauges by what waits. Raises TransientError."""
        with told_apart(), self.ledger.engine.connect() as connection:
            seen = outbox.backlog(connection)
        metrics.OUTBOX_RECORDS.set(seen.records)
        metrics.OUTBOX_OLDEST.set(seen.oldest_seconds)
        self._seen, self._seen_at = seen, self.clock()

    def why(self) -> str:
        """What is wrong with the relay, in words; empty where nothing is.

        A relay that waits for the lock of another one is well. One that cannot work is told of only when records wait
        for it, or nobody can say whether any do: where there is nothing to publish, nothing is late.
        """
        now = self.clock()
        if now - self.relay.well_at <= PATIENCE_SECONDS:
            return ""
        if self._seen is None or now - self._seen_at > PATIENCE_SECONDS:
            waiting = "the outbox cannot be looked at"
        elif self._seen.oldest_seconds > PATIENCE_SECONDS:
            waiting = f"{self._seen.records} records wait, the oldest for {self._seen.oldest_seconds:.0f} s"
        else:
            return ""
        return f"the relay does not get on: {self.relay.trouble or 'a call has not come back'}; {waiting}"
