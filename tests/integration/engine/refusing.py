"""Refuses the first batch of a topic, as a broker does that does not lead the partition yet."""

from __future__ import annotations

import threading

from tests.integration.engine.between import HEADER, Between

PRODUCE, NOWHERE = 0, 99


class Refusing(Between):
    """Asks for a partition that there is not in place of the first batch's own.

    The answer, that there is no such partition, is held back until another batch has come or `patience` has passed.
    """

    def __init__(self, port: int, upstream: int, topic: str, patience: float = 1.0) -> None:
        self.topic, self.patience = topic.encode(), patience
        self.first, self.second = threading.Event(), threading.Event()
        self._refused, self._partition = -1, 0
        super().__init__(port, upstream)

    def ask(self, frame: bytearray) -> bool:
        _, key, _, correlation = HEADER.unpack_from(frame)
        if key != PRODUCE or self.topic not in frame:
            return True
        if self.first.is_set():
            self.second.set()
            return True
        self._refused, self._partition = correlation, self._swap(frame, NOWHERE)
        self.first.set()
        return True

    def answer(self, frame: bytearray) -> bool:
        if (
            int.from_bytes(frame[4:8]) == self._refused
            and self.topic in frame
            and self._swap(frame, NOWHERE) == NOWHERE
        ):
            self._swap(frame, self._partition)
            self._refused = -1
            self.second.wait(self.patience)
        return True

    def _swap(self, frame: bytearray, number: int) -> int:
        """Put another partition in the place of the first after the topic's name."""
        at = frame.index(self.topic) + len(self.topic) + 1  # one byte says how many partitions follow
        before = int.from_bytes(frame[at : at + 4])
        frame[at : at + 4] = number.to_bytes(4)
        return before
