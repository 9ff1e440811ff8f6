"""Tells a consumer that the group will never hear of again from one that waits for its turn.

After a broker's pause under load, librdkafka 2.16 has been seen to look for the group's coordinator no more: heartbeats
and commits lay in its queue, nothing was sent, and that for as long as the process lived, while every other client was
answered at once. Only a new consumer mends that.
"""

from __future__ import annotations

import logging
from time import monotonic

from confluent_kafka import KafkaException

from streaming.faust import cluster
from streaming.faust.assignment import Assignment
from streaming.faust.faults import LeftOutside
from streaming.faust.settings import EngineSettings, slot
from streaming.stage import TransientError

log = logging.getLogger(__name__)

OUTSIDE_SECONDS = 30.0
"""One that has been outside for so long is looked at, and again as much later."""
CERTAIN_SECONDS = 15.0
"""So long it may be silent: the brokers may just be back, and librdkafka waits up to 10 s before it connects."""
ASK_SECONDS, AGAIN_SECONDS, OTHERS_SECONDS = 0.5, 2.0, 5.0
AT_REST = frozenset(("Stable", "Empty", cluster.GONE))
"""Else members' requests to join are held back, and whatever a member asks waits behind its own."""


class LeftOut:
    """Watches one consumer's time outside of the group, a short question at a time."""

    def __init__(self, settings: EngineSettings, topic: str) -> None:
        """`topic`: one that exists and of which the group commits nothing, so that no transaction delays the answer."""
        self.settings, self.topic = settings, topic
        self._outside = False
        self._due = 0.0
        self._silent: float | None = None  # since when it leaves questions unanswered
        self.found = False

    def look(self, assignment: Assignment) -> None:
        """Raises LeftOutside where the group is at rest and its coordinator answers others, but not this consumer.

        Blocks where a question is due only, and then for twice `OTHERS_SECONDS` and `ASK_SECONDS` at most.
        """
        if assignment.is_member:
            self._outside, self._silent = False, None
            return
        now = monotonic()
        if not self._outside:
            self._outside, self._due = True, now + OUTSIDE_SECONDS
        if now < self._due:
            return
        if not self._group_is_at_rest() or self._answers(assignment):
            self._silent, self._due = None, now + OUTSIDE_SECONDS
            return
        if self._silent is None:
            log.warning("%s: the group's coordinator answers others, but not this member", self.settings.group)
            self._silent = now
        if now - self._silent >= CERTAIN_SECONDS:
            self.found = True
            raise LeftOutside("the consumer has lost the group's coordinator, which answers others")
        self._due = now + AGAIN_SECONDS

    def _group_is_at_rest(self) -> bool:
        """What a new client is told; False where it is told nothing."""
        try:
            return cluster.group(self.settings, OTHERS_SECONDS).state in AT_REST
        except TransientError:
            return False

    def _answers(self, assignment: Assignment) -> bool:
        """Whether the coordinator hears this consumer: a question that needs it, and no membership."""
        try:
            assignment.consumer.committed([slot(self.topic, 0)], ASK_SECONDS)
        except KafkaException:
            return False
        return True
