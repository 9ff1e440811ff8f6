"""What the auditor reads from topics: committed records only, with its own eyes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


@dataclass(frozen=True)
class Seen:
    """A record as it stands in a topic; `raw` is its value, of which millions fit into memory."""

    topic: str
    partition: int
    offset: int
    key: str
    raw: bytes | None
    headers: dict[str, str]
    timestamp_ms: int = 0

    @property
    def value(self) -> dict[str, Any] | None:
        """The JSON object that the value is; None where it is none."""
        return read_object(self.raw)

    @property
    def ce_id(self) -> str | None:
        """The event's id; None where the record has none."""
        return self.headers.get("ce_id")

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition, offset."""
        return self.topic, self.partition, self.offset


def topics_of(bootstrap: str, prefix: str) -> set[str]:
    """Names of all topics that begin with `prefix`."""
    consumer = _consumer(bootstrap)
    try:
        return {name for name in consumer.list_topics(timeout=30).topics if name.startswith(prefix)}
    finally:
        consumer.close()


def read_all(bootstrap: str, topics: Iterable[str], seconds: float = 120) -> list[Seen]:
    """Every committed record of `topics`, each partition up to its end. Raises `TimeoutError`.

    The end of a partition is where librdkafka says so: the last stable offset, which an open transaction holds back.
    """
    consumer = _consumer(bootstrap)
    try:
        parts = {
            (topic, partition): TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in topics
            for partition in consumer.list_topics(topic, timeout=30).topics[topic].partitions
        }
        consumer.assign(list(parts.values()))
        left, found = set(parts), []
        deadline = time.monotonic() + seconds
        while left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the ends of {sorted(left)} were not reached within {seconds:g} s")
            for message in consumer.consume(5000, timeout=0.2):
                error = message.error()
                if error is None:
                    found.append(_seen(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard((message.topic(), message.partition()))
                else:
                    raise KafkaException(error)
        return found
    finally:
        consumer.close()


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "auditor",  # asked for by the library; nothing is ever committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            # The embedded broker answers with all it has, whatever limit it is asked to keep.
            "receive.message.max.bytes": 2_000_000_000,
        }
    )


def _seen(message: Any) -> Seen:
    return Seen(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=(message.key() or b"").decode(errors="replace"),
        raw=message.value(),
        headers={sys.intern(name): (value or b"").decode(errors="replace") for name, value in message.headers() or ()},
        timestamp_ms=message.timestamp()[1],
    )


def read_object(value: bytes | None) -> dict[str, Any] | None:
    """The JSON object in `value`; None where it is none."""
    try:
        parsed = json.loads(value or b"null")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
