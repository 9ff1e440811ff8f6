"""Tells when a producer has fallen silent.

One has been seen that sent nothing for good after a broker's restart, and said no word of it. Another client goes on
in its place. Time is passed in (seconds on any clock that only rises).
"""

from __future__ import annotations

from confluent_kafka import KafkaError


class Silence:
    """How long a producer has delivered nothing, though it had to. `seconds`: longer is too long.

    It lasts from the first record whose time ran out to the last one: while nothing is to be sent, nothing is missed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: float | None = None
        self._last = 0.0

    def note(self, error: KafkaError | None, now: float) -> None:
        """What a delivery report says. A broker's refusal is an answer; what the client says of itself is nothing."""
        if error is not None and error.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 its only name
            self.missed(now)
        elif error is None or error.code() >= 0:
            self._since = None

    def missed(self, now: float) -> None:
        """A record's time ran out, whether a report says so or none has come."""
        if self._since is None:
            self._since = now
        self._last = now

    @property
    def too_long(self) -> bool:
        """Whether another client has to go on."""
        since = self._since  # other threads may note something meanwhile
        return since is not None and self._last - since > self.seconds
