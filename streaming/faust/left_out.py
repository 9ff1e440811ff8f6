"""Tells a consumer that the group will never hear of again from one that waits for its turn.

After a broker's pause under load, librdkafka 2.16 has been seen to look for the group's coordinator no more: heartbeats
and commits lay in its queue, nothing was sent, and that for as long as the process lived, while every other client was
answered at once. Only a new consumer mends that.
"""

from __future__ import annotations

import logging
from time import monotonic

from confluent_kafka import Consumer, KafkaException

from streaming.faust.assignment import Assignment
from streaming.faust.faults import SessionLost
from streaming.faust.settings import EngineSettings, slot

log = logging.getLogger(__name__)

OUTSIDE_SECONDS = 30.0
"""A consumer that is outside for longer is asked; so long a rebalance may take where a member has just been frozen."""
ANSWER_SECONDS = 5.0
SECOND_ANSWER_SECONDS = 15.0
"""Longer than librdkafka waits before it connects anew (10 s): the brokers may have come back this moment."""


class LeftOut:
    """Watches one consumer's time outside of the group."""

    def __init__(self, settings: EngineSettings, topic: str) -> None:
        """`topic`: one that exists and of which the group commits nothing, so that no transaction delays the answer."""
        self.settings, self.topic = settings, topic
        self._due = monotonic() + OUTSIDE_SECONDS

    def look(self, assignment: Assignment) -> None:
        """Raises SessionLost where the coordinator answers others, but not this consumer.

        Blocks only where that is so or no broker answers, for 25 s at most.
        """
        now = monotonic()
        if assignment.is_member:
            self._due = now + OUTSIDE_SECONDS
        elif now >= self._due:
            if not self._answers(assignment.consumer, ANSWER_SECONDS) and self._answers_others():
                log.warning("%s: the coordinator answers others, but not this member", self.settings.group)
                if not self._answers(assignment.consumer, SECOND_ANSWER_SECONDS):
                    raise SessionLost("the consumer has lost the group's coordinator, which answers others")
            self._due = monotonic() + OUTSIDE_SECONDS

    def _answers_others(self) -> bool:
        other = self.settings.offset_reader("read_committed")
        try:
            return self._answers(other, ANSWER_SECONDS)
        finally:
            other.close()

    def _answers(self, consumer: Consumer, seconds: float) -> bool:
        """Whether the group's coordinator does: a question that needs it, and no membership."""
        try:
            consumer.committed([slot(self.topic, 0)], seconds)
        except KafkaException:
            return False
        return True
