"""Topics in memory: what a broker keeps, as lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from streaming.partition import destination
from streaming.stage import Output, RawHeaders

CREATE_TIME = 1  # Kafka: the timestamp is its producer's


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record of a topic; the methods are those of `streaming.stage.Message`."""

    _topic: str
    _partition: int
    _offset: int
    _key: bytes | None
    _value: bytes | None
    _headers: RawHeaders
    _timestamp_ms: int

    def topic(self) -> str:
        """Name of the topic."""
        return self._topic

    def partition(self) -> int:
        """Number of the partition, from 0."""
        return self._partition

    def offset(self) -> int:
        """Place in the partition, from 0."""
        return self._offset

    def key(self) -> bytes | None:
        """Key, or None."""
        return self._key

    def value(self) -> bytes | None:
        """Value; None for a tombstone."""
        return self._value

    def headers(self) -> RawHeaders | None:
        """Headers in order; None where there are none, as librdkafka has it."""
        return self._headers or None

    def timestamp(self) -> tuple[int, int]:
        """What kind of time, and the time in ms since the epoch."""
        return CREATE_TIME, self._timestamp_ms


@dataclass(slots=True)
class Log:
    """What outlives a runner: topics, and how far each stage is committed. Every topic has `partitions` partitions."""

    partitions: int = 4
    topics: dict[str, list[MemoryRecord]] = field(default_factory=dict)
    parts: dict[tuple[str, int], list[MemoryRecord]] = field(default_factory=dict)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)

    def append(self, output: Output, timestamp_ms: int, source: int | None = None) -> MemoryRecord:
        """Publish a record, made of one of source partition number `source`.

        Without a key, a partition and a source it goes to the partitions in turn.
        """
        topic, key = output.topic, output.key
        in_order = self.topics.setdefault(topic, [])
        partition = destination(key, output.partition, len(in_order) if source is None else source, self.partitions)
        if not 0 <= partition < self.partitions:
            raise ValueError(f"{topic} has {self.partitions} partitions, there is no number {partition}")
        part = self.parts.setdefault((topic, partition), [])
        record = MemoryRecord(topic, partition, len(part), key, output.value, tuple(output.headers), timestamp_ms)
        in_order.append(record)
        part.append(record)
        return record
