"""Tells when a producer has fallen silent.

One has been seen that sent nothing for good after a broker's restart, and said no word of it. Another client goes on
in its place. Time is passed in (seconds on any clock that only rises).
"""

from __future__ import annotations

from confluent_kafka import KafkaError


class Silence:
    """Since when a producer delivers nothing, though it has to. `seconds`: longer is too long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: float | None = None

    def note(self, error: KafkaError | None, now: float) -> None:
        """What a delivery report says. Only one that ran out of time is silence: a refusal is an answer."""
        if error is None:
            self._since = None
        elif error.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 its only name
            self.late(now)

    def late(self, now: float) -> None:
        """Not even a report has come in its time."""
        if self._since is None:
            self._since = now

    def too_long(self, now: float) -> bool:
        """Whether another client has to go on."""
        return self._since is not None and now - self._since > self.seconds
