"""A Kafka of the test's own that the relay publishes to, and what tests ask of the outbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import text

from services.routing.ledger import Ledger
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import PublisherLost
from tests.integration.routing.desk import rows
from tests.waiting import until


@dataclass
class FakeKafka:
    """What outlives a publisher: records and positions, committed together."""

    records: list[Waiting] = field(default_factory=list)
    at: dict[int, int] = field(default_factory=dict)
    fall_after_commit: bool = False
    fall_before_commit: bool = False
    doubts: int = 0
    most: int = 1_000_000
    tried: list[int] = field(default_factory=list)
    made: int = 0

    def publisher(self, _ledger_id: str) -> FakePublisher:
        self.made += 1
        return FakePublisher(self)


@dataclass
class FakePublisher:
    kafka: FakeKafka

    def open(self) -> None: ...

    def close(self) -> None: ...

    def in_doubt(self) -> bool:
        self.kafka.doubts -= 1
        return self.kafka.doubts >= 0

    def positions(self, lanes: Collection[int]) -> dict[int, int]:
        return {lane: self.kafka.at[lane] for lane in lanes if lane in self.kafka.at}

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        if self.kafka.fall_before_commit:
            self.kafka.fall_before_commit = False
            raise PublisherLost("before the commit")
        self.kafka.tried.append(len(records))
        if len(records) > self.kafka.most:
            raise PublisherLost("not in the time that a transaction has")
        self.kafka.records += records
        self.kafka.at |= nexts
        if self.kafka.fall_after_commit:
            self.kafka.fall_after_commit = False
            raise PublisherLost("after the commit")


def empty(ledger: Ledger) -> bool:
    return not rows(ledger, "SELECT id FROM outbox")


def written(ledger: Ledger, statement: str) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(statement))


def keys_of(kafka: str, topic: str, partitions: int, seconds: float = 20) -> list[list[bytes]]:
    """Keys of the records that readers see, by partition and in order."""
    reader = Consumer({"bootstrap.servers": kafka, "group.id": "reader", "isolation.level": "read_committed"})
    slots = [TopicPartition(topic, number, 0) for number in range(partitions)]
    left = {slot.partition: reader.get_watermark_offsets(slot, 10)[1] for slot in slots}
    reader.assign(slots)
    found: list[list[bytes]] = [[] for _ in slots]

    def read() -> bool:
        for message in reader.consume(500, 0.2):
            if message.error() is None:
                found[message.partition() or 0].append(message.key() or b"")
        return all(at.offset >= left[at.partition] for at in reader.position(slots) if left[at.partition])

    until(read, seconds, f"the end of {topic}", every=0)
    reader.close()
    return found
