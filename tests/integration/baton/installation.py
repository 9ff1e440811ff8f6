"""The topics of a Baton that nobody works on, for tests of commands that read and write them."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Message, Producer

from baton import failed
from baton.provisioning import kafka_address
from baton.records import read
from baton.settings import Settings
from schemas.topics import MARKETING_EVENTS
from streaming.client import IN_FLIGHT

ODD = [("kind", b"form"), ("kind", b"twice"), ("nothing", None), ("raw", b"\xff")]
"""Headers that a record may come with."""
PARTITION_UA = -1  # librdkafka's name for that the key decides


class Installation:
    """Topics of a Baton that nobody works on."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.prefix = settings, settings.topic_prefix
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka or "",
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "max.in.flight": IN_FLIGHT,  # or what a new topic refuses at first comes after what follows it
            }
        )
        self._offset = 0

    def fails(
        self, stage: str, value: bytes | None, key: bytes | None = b"k", *, reason: str = "unknown_source",
        topic: str = MARKETING_EVENTS, partition: int = 1, at: str = "2026-11-02T09:00:00Z", offset: int | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (), detail: str = "source: is not known\nmend it",
        stands_in: int = PARTITION_UA,
    ) -> None:  # fmt: skip
        self._offset += 1
        told = {
            "baton_reason": reason, "baton_detail": detail, "baton_trace": "the trace",
            "baton_topic": self.prefix + topic, "baton_partition": str(partition),
            "baton_offset": str(self._offset if offset is None else offset), "baton_failed_at": at,
        }  # fmt: skip
        added = [(name, text.encode()) for name, text in told.items()]
        everything: list[tuple[str, str | bytes | None]] = [*ODD, *headers, *added]
        self._producer.produce(f"{self.prefix}{stage}.failed", value, key, stands_in, headers=everything)
        self._producer.flush(30)

    def sends(self, topic: str, value: bytes, key: bytes, partition: int, times: int = 1) -> None:
        for _ in range(times):
            self._producer.produce(self.prefix + topic, value, key, partition)
        self._producer.flush(30)

    def holds(self, topic: str) -> list[Message]:
        return list(read(kafka_address(self.settings), [self.prefix + topic]))

    def values(self, topic: str) -> list[bytes | None]:
        return sorted((one.value() for one in self.holds(topic)), key=repr)

    def ids(self) -> list[str]:
        return sorted(one.id for one in failed.records(self.settings))
