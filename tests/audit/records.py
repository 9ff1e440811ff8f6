"""What the auditor reads from topics: committed records only, with its own eyes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition


@dataclass(frozen=True)
class Seen:
    """A record as it stands in a topic. `value` is None where it is not a JSON object; `ce_id` where it has none."""

    topic: str
    partition: int
    offset: int
    key: str
    value: dict[str, Any] | None
    headers: dict[str, str]
    timestamp_ms: int = 0

    @property
    def ce_id(self) -> str | None:
        return self.headers.get("ce_id")

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition, offset."""
        return self.topic, self.partition, self.offset


def topics_of(bootstrap: str, prefix: str) -> set[str]:
    """Names of all topics that begin with `prefix`."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return {name for name in consumer.topics() if name.startswith(prefix)}
    finally:
        consumer.close()


def read_all(bootstrap: str, topics: Iterable[str], seconds: float = 120) -> list[Seen]:
    """Every committed record of `topics`, up to the ends as they were when reading began. Raises `TimeoutError`."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest", group_id=None,
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        parts = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(parts) if parts else {}
        found: list[Seen] = []
        deadline = time.monotonic() + seconds
        while any(consumer.position(part) < end for part, end in ends.items()):
            if time.monotonic() > deadline:
                behind = {f"{p.topic}/{p.partition}": end - consumer.position(p) for p, end in ends.items()}
                raise TimeoutError(f"the ends were not reached within {seconds:g} s: {behind}")
            for records in consumer.poll(500, max_records=5000).values():
                found.extend(map(_seen, records))
        return found
    finally:
        consumer.close()


def _seen(record: Any) -> Seen:
    return Seen(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode(errors="replace"),
        value=read_object(record.value),
        headers={name: (value or b"").decode(errors="replace") for name, value in record.headers or ()},
        timestamp_ms=record.timestamp,
    )


def read_object(value: bytes | None) -> dict[str, Any] | None:
    """The JSON object in `value`; None where it is none."""
    try:
        parsed = json.loads(value or b"null")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
