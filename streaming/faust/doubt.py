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

NEVER_UP = "in state CONNECT)"
"""So librdkafka ends what it says of a connection that was not made, by which nothing was sent."""


class Doubt:
    """Of one producer, whose logger it is. It holds no client: one that is held by its own logger is never freed.

    Librdkafka says so before it sends anything again: in its log, and nowhere else for the connection to the
    coordinator. It says the same once in half a minute, so of each producer the first word counts.
    """

    LOGS: ClassVar[dict[str, Any]] = {"log_level": 6, "log.connection.close": True}
    """What the producer has to be told, whatever its user would rather not read."""

    def __init__(self) -> None:
        self._heard = self._lost = self._ended = False

    @property
    def justified(self) -> bool:
        """Whether another producer has to go on."""
        return self._heard and self._ended

    def log(self, level: int, text: str, *args: object) -> None:
        """A client that says anything else than that nobody answers may have lost a connection."""
        if level > logging.DEBUG and not any(NEVER_UP in str(arg) for arg in args):
            self._heard = True
            self._lost |= any("Disconnected" in str(arg) for arg in args)
        log.log(level, text, *args)

    def begins(self) -> None:
        """The id is taken. What was said before counts no more, but for what would not be said a second time."""
        self._heard = self._lost

    def ends(self) -> None:
        """A transaction is about to be committed or aborted."""
        self._ended = True
