"""How far a stage is behind, told to the metrics once a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from time import monotonic

from confluent_kafka import KafkaException

from streaming import metrics
from streaming.faust.assignment import Assignment, Partition
from streaming.faust.settings import slot
from streaming.stage import Message

EVERY_SECONDS = 1.0


class Lag:
    """Lag of the partitions that run.

    A partition's end counts markers of transactions, which no record stands for; so the offset that the consumer saw as
    the end (`at_end`) counts as well as the offset that we go on from.
    """

    def __init__(self, stage: str, topic: str) -> None:
        self.stage, self.topic = stage, topic
        self._ends_seen: dict[int, int] = {}
        self._settled_ms: dict[int, int] = {}
        self._shown: set[int] = set()
        self._due = 0.0

    def at_end(self, number: int, offset: int) -> None:
        """The consumer has handed out everything before `offset`."""
        self._ends_seen[number] = offset

    def settled(self, number: int, last: Message) -> None:
        """`last` is the last record of the partition that was settled."""
        self._settled_ms[number] = last.timestamp()[1]

    def tell(self, assignment: Assignment) -> None:
        """Set the metrics, unless that was just done."""
        if monotonic() < self._due:
            return
        self._due = monotonic() + EVERY_SECONDS
        parts = [part for part in assignment.parts.values() if part.running] if assignment.is_member else []
        self._forget([part.number for part in parts])
        oldest: float | None = None
        for part in parts:
            behind = self._behind(assignment, part)
            metrics.LAG_RECORDS.labels(self.stage, self.topic, part.number).set(behind)
            since = self._settled_ms.get(part.number)
            if behind and since is not None:
                oldest = since / 1000 if oldest is None else min(oldest, since / 1000)
        metrics.LAG_SECONDS.labels(self.stage).set(0.0 if oldest is None else max(0.0, time.time() - oldest))

    def forget(self) -> None:
        """Nothing runs any more: what is shown no longer holds."""
        self._forget([])

    def _behind(self, assignment: Assignment, part: Partition) -> int:
        try:
            around = assignment.consumer.get_watermark_offsets(slot(self.topic, part.number), cached=True)
        except KafkaException:
            return 0
        high = around[1]
        if self._ends_seen.get(part.number, 0) >= high:
            # Everything was handed out: what is left is at most the round in hand, which ends before the next look.
            return 0
        return int(max(0, high - part.next))

    def _forget(self, running: Sequence[int]) -> None:
        for number in self._shown - set(running):
            metrics.LAG_RECORDS.remove(self.stage, self.topic, str(number))
            self._ends_seen.pop(number, None)
            self._settled_ms.pop(number, None)
        self._shown = set(running)
