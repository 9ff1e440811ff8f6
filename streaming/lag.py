"""How far a consumer group is behind: committed offsets against the ends of the topics."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CorruptRecordError

from streaming.admin import ask, client
from streaming.client import KafkaAddress

log = logging.getLogger(__name__)

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
    return _counted(address, found, patience)


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


def _counted(address: KafkaAddress, found: list[PartitionLag], patience: float) -> list[PartitionLag]:
    """Small gaps, with the records counted that they hold: after the last record there is often only a marker."""
    gaps = {TopicPartition(at.topic, at.partition): at for at in found if 0 < at.records <= READ_BELOW}
    if not gaps:
        return found
    records = dict.fromkeys(gaps, 0)
    consumer = client(
        address,
        KafkaConsumer,
        patience,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        client_id="baton-lag",
    )
    try:
        consumer.assign(list(gaps))
        for part, at in gaps.items():
            consumer.seek(part, at.end - at.records)
        unread, deadline = set(gaps), monotonic() + READ_SECONDS
        while unread and monotonic() < deadline:
            for part, messages in consumer.poll(timeout_ms=100).items():
                records[part] += sum(message.offset < gaps[part].end for message in messages)
            unread = {part for part in unread if consumer.position(part) < gaps[part].end}
    except CorruptRecordError as error:  # a header's name is not UTF-8, say: those who do the work can read it
        log.debug("not all records could be counted: %s", error)
    finally:
        consumer.close(autocommit=False)
    read = {tuple(part): records[part] for part in gaps if part not in unread}
    return [replace(at, records=read.get((at.topic, at.partition), at.records)) for at in found]
