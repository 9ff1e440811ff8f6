"""Whether a producer may have sent the end of a transaction twice.

A client that loses its connection sends again what was not answered. Should the first request still lie with the
broker, it may be done after the second one, and then it ends the transaction that the producer has open by then: half
of it is committed, or what it wrote is taken back and its offsets are not. Brokers of Kafka 4 tell such a request apart
where the client speaks their newer protocol (KIP-890), which librdkafka does not yet. What a producer of the same id
and the next epoch does is out of its reach; so whoever has reason to doubt begins anew.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

log = logging.getLogger(__name__)

NEVER_UP = "in state CONNECT"
"""So librdkafka says of a connection that it was not made; nothing was sent by it."""
BROKEN = "FAIL"
"""What librdkafka calls a connection that is no more, for whatever reason; the same one is suppressed afterwards."""
SILENT_SECONDS = 50.0
"""Connections that carried nothing for a minute are closed without a word, and yet words like these are suppressed."""


class Doubt:
    """Of one producer, whose logger it is. It holds no client: one that is held by its own logger is never freed.

    Librdkafka says so before it sends anything again: in its log, and nowhere else for the connection to the
    coordinator. It says the same once in half a minute, so of each producer the first word counts, and after a long
    silence one that ends a transaction may not be heard; it is not asked to end another. Times are monotonic seconds.
    """

    LOGS: ClassVar[dict[str, Any]] = {"log_level": 6, "log.connection.close": True}
    """What the producer has to be told, whatever its user would rather not read."""

    def __init__(self, silent_seconds: float = SILENT_SECONDS) -> None:
        self._silent_seconds = silent_seconds
        self._heard = self._lost = self._ended = False
        self._at = 0.0

    @property
    def justified(self) -> bool:
        """Whether another producer has to go on."""
        return self._heard and self._ended

    def log(self, level: int, text: str, *args: object) -> None:
        """A client that says anything else than that nobody answers may have lost a connection."""
        if level > logging.DEBUG and not any(NEVER_UP in str(arg) for arg in args):
            self._heard = True
            self._lost |= BROKEN in args
        log.log(level, text, *args)

    def begins(self, now: float) -> None:
        """The id is taken. What was said before counts no more, but for what would not be said a second time."""
        self._heard, self._at = self._lost, now

    def ends(self, now: float) -> None:
        """A transaction is about to be committed or aborted."""
        self._heard |= now - self._at > self._silent_seconds
        self._ended, self._at = True, now
