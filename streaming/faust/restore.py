"""Bring partitions' state up to the changelog's end, a step at a time, with a reader of its own.

The end is the high watermark, open transactions included: everything that a now stable committed offset stands for
lies before it, even where the commit marker has not arrived here yet. The reader, `read_committed`, waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException

from streaming.faust.assignment import Partition
from streaming.faust.faults import NotRestored
from streaming.faust.marks import MARK
from streaming.faust.offsets import Ends
from streaming.faust.settings import EngineSettings, slot

STEP_RECORDS = 10_000


class Restore:
    """One reading of the changelog for some partitions; `done` once all of them are up to its end."""

    def __init__(
        self,
        settings: EngineSettings,
        changelog: str,
        loads: Callable[[bytes], Any],
        parts: Sequence[Partition],
        ends: dict[int, Ends],
    ) -> None:
        self.loads, self.changelog, self.ends = loads, changelog, ends
        self.stall = settings.settle_timeout_seconds
        self.records = 0
        self.todo: dict[int, Partition] = {}
        for part in parts:
            low, high = ends[part.number]
            below = part.state.below
            if part.position > high or (below is not None and below.point.low != low):  # made anew or cut under us
                origin = part.state.origin
                part.forget()
                part.state.origin = origin
            part.position = max(part.position, low)
            if part.position < high:
                self.todo[part.number] = part
        self.last = monotonic()
        self.reader: Consumer | None = None
        if self.todo:
            self.reader = settings.changelog_reader()
            self.reader.assign([slot(changelog, p.number, p.position) for p in self.todo.values()])

    @property
    def done(self) -> bool:
        """Whether every partition's state is whole."""
        return not self.todo

    @property
    def waited(self) -> float:
        """Seconds since the reader last got on."""
        return monotonic() - self.last

    def step(self, timeout: float) -> None:
        """Read on for up to `timeout` seconds. Raises NotRestored where it stands still for too long."""
        if self.reader is None:
            return
        messages: list[Any] = self.reader.consume(STEP_RECORDS, timeout)
        if messages:
            self._take(messages)
        if self.todo and self.waited > self.stall:
            where = ", ".join(f"{p.number}: {p.position} of {self.ends[p.number][1]}" for p in self.todo.values())
            raise NotRestored(f"{self.changelog} was not read to its end in {self.stall:.0f} s (partition {where})")

    def close(self) -> None:
        """Give the reader up."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def _take(self, messages: Sequence[Any]) -> None:
        """There may be millions of records: what can be done once for many is not done for each."""
        layers = {number: (part.state.recent, part.state.flat) for number, part in self.todo.items()}
        loads, last = self.loads, {}
        for message in messages:
            if (error := message.error()) is not None:
                self._hear(error, message)
            elif (number := message.partition()) in layers:
                layer, flat = layers[number]
                key, value = message.key(), message.value()
                if key == MARK:
                    pass  # it is no state
                elif value is not None:
                    layer[key] = loads(value)
                elif flat:
                    layer.pop(key, None)
                else:
                    layer[key] = None  # it may be in the file below
                last[number] = message
                self.records += 1
        for number, message in last.items():
            if number in self.todo:
                self._move(self.todo[number], message.offset() + 1)

    def _hear(self, error: KafkaError, message: Any) -> None:
        """Something that the reader says in place of a record."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 that is how confluent-kafka names it
            part = self.todo.get(message.partition())
            if part is not None:
                self._at_end(part, message.offset())
        elif not error.retriable():
            raise KafkaException(error)

    def _move(self, part: Partition, position: int) -> None:
        part.state.tail += position - part.position
        part.position, self.last = position, monotonic()

    def _at_end(self, part: Partition, offset: int) -> None:
        """`offset` counts markers and aborted records too, which no message stands for."""
        if offset >= self.ends[part.number][1]:
            self._move(part, offset)
            del self.todo[part.number]
