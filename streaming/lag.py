"""How far a consumer group is behind: committed offsets against the ends of the topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import TopicPartition as Slot
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec

from streaming.admin import ask
from streaming.client import KafkaAddress

READ_BELOW = 1000
"""Gaps of up to so many offsets are read, to know how many records they hold; larger ones are given as they are."""
READ_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""A broker that hangs is missed by the others in about that time; then somebody else answers."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition. `committed` is the next offset to process, None where the group has not begun there.

    `records` is what is still to be done: exact for small gaps; of a large one the number of offsets, which counts the
    markers of transactions too.
    """

    topic: str
    partition: int
    committed: int | None
    end: int
    records: int


def lag(
    address: KafkaAddress | str,
    group: str,
    topics: Iterable[str],
    committed: Mapping[tuple[str, int], int] | None = None,
    patience: float = 30.0,
) -> list[PartitionLag]:
    """What `group` still has to do in each partition of `topics`, in order; topics that are not there are left out.

    `committed` are offsets by topic and partition that count instead of the group's, where a stage keeps its positions
    in a store. A transaction that is still open hides what follows it, as it does from the group's readers. Raises
    KafkaUnreachable and KafkaRefused.
    """
    if isinstance(address, str):
        address = KafkaAddress.parse(address)
    names = list(topics)
    found = ask(address, lambda admin: _offsets(admin, group, names, committed), patience, ANSWER_SECONDS)
    return _counted(address, found)


def _offsets(
    admin: KafkaAdminClient, group: str, topics: list[str], committed: Mapping[tuple[str, int], int] | None
) -> list[PartitionLag]:
    parts = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in (admin.describe_topics(topics) if topics else [])
        if not topic["error_code"]
        for partition in topic["partitions"]
    ]
    if not parts:
        return []
    if committed is None:
        offsets = admin.list_group_offsets({group: None})[group]
        committed = {tuple(part): at.offset for part, at in offsets.items() if at.offset >= 0}
    starts = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST), isolation_level="read_committed")
    found = []
    for part in sorted(parts):
        at, end = committed.get((part.topic, part.partition)), ends[part].offset
        behind = end - max(starts[part].offset if at is None else at, starts[part].offset)
        found.append(PartitionLag(part.topic, part.partition, at, end, max(0, behind)))
    return found


def _counted(address: KafkaAddress, found: list[PartitionLag]) -> list[PartitionLag]:
    """Small gaps, with the records counted that they hold: after the last record there is often only a marker.

    By librdkafka, which looks at nothing of a record before it is asked to: what others write may have any form.
    """
    gaps = {(at.topic, at.partition): at for at in found if 0 < at.records <= READ_BELOW}
    if not gaps:
        return found
    records, unread, deadline = dict.fromkeys(gaps, 0), set(gaps), monotonic() + READ_SECONDS
    consumer = Consumer(
        address.librdkafka_config(
            group_id="baton-lag",  # demanded by librdkafka, never joined
            enable_auto_commit=False,
            isolation_level="read_committed",
            enable_partition_eof=True,
            auto_offset_reset="earliest",
            fetch_wait_max_ms=50,
        )
        | {"log_level": 0}  # who asks is told by the admin client where no broker answers
    )
    try:
        consumer.assign([Slot(*part, at.end - at.records) for part, at in gaps.items()])
        while unread and monotonic() < deadline:
            for message in consumer.consume(READ_BELOW, 0.05):
                part, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
                error = message.error()
                if error is None:
                    records[part] += offset < gaps[part].end
                    at_end = offset + 1 >= gaps[part].end
                else:
                    at_end = error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 its public name for it
                if at_end:
                    unread.discard(part)
    finally:
        consumer.close()
    read = {part: count for part, count in records.items() if part not in unread}
    return [replace(at, records=read.get((at.topic, at.partition), at.records)) for at in found]
