"""The topics of the bench: the source, filled once, and what a peer writes, made for each run and thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from bench.world import records
from streaming.partition import partition_of
from tests.waiting import until

KEPT = {"retention.ms": "-1"}


class Topics:
    """An admin client of the bench's broker."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.bootstrap, self.partitions = bootstrap, partitions
        self._admin = AdminClient({"bootstrap.servers": bootstrap})

    def create(self, names: Iterable[str]) -> None:
        """Make topics, once those of the same names are gone."""
        for name in names:
            until(partial(self._created, name), 60, f"{name} to be made")

    def delete(self, names: Iterable[str]) -> None:
        """Throw topics away, those that are there."""
        there = [name for name in names if name in self.names()]
        for future in self._admin.delete_topics(there).values() if there else ():
            future.result()

    def names(self) -> set[str]:
        """The topics that there are, Kafka's own left out."""
        return {name for name in self._admin.list_topics(timeout=30).topics if not name.startswith("__")}

    def forget(self, group: str) -> None:
        """Throw away the offsets of a consumer group."""
        for future in self._admin.delete_consumer_groups([group]).values():
            with suppress(KafkaException):  # there is none
                future.result()

    def fill(self, topic: str, total: int, active: int) -> list[int]:
        """Write the world to `topic`; how many records each partition has."""
        self.create([topic])
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "enable.idempotence": True,  # a retry must not change the order
            }
        )
        counts = [0] * self.partitions
        for key, value, headers, timestamp in records(total, active):
            number = partition_of(key, self.partitions)
            counts[number] += 1
            producer.produce(topic, value, key, number, timestamp=timestamp, headers=headers)  # type: ignore[arg-type]
            producer.poll(0)
        if producer.flush(120):
            raise RuntimeError("the source could not be filled")
        return counts

    def ends(self, topic: str) -> Sequence[int]:
        """Of each partition the offset up to which a reader with `read_committed` may read."""
        return until(partial(self._ends, topic), 30, f"the ends of {topic}") or []

    def _ends(self, topic: str) -> list[int] | None:
        """None where the broker does not know them yet, as of a topic that has just been made."""
        newest: Any = OffsetSpec
        wanted = {TopicPartition(topic, number): newest.latest() for number in range(self.partitions)}
        asked = self._admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=10)
        try:
            found = {place.partition: future.result().offset for place, future in asked.items()}
        except KafkaException:
            self._admin.list_topics(timeout=10)  # who leads its partitions is asked anew
            return None
        return [found[number] for number in range(self.partitions)]

    def _created(self, name: str) -> bool:
        try:
            self._admin.create_topics([NewTopic(name, self.partitions, 1, config=KEPT)])[name].result()
        except KafkaException:
            return False
        return True
