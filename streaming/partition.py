"""The one place that chooses partitions: murmur2, as Java's, kafka-python's and librdkafka's `murmur2_random` do.

Source: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`, BuiltInPartitioner.partitionForKey.
"""

from __future__ import annotations

from kafka.partitioner.default import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of `key` in a topic of so many partitions."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def destination(key: bytes | None, chosen: int | None, source: int, partitions: int) -> int:
    """Partition of a record in a topic of so many: the `chosen` one, else the key's, else that of its source."""
    if chosen is not None:
        return chosen
    return source % partitions if key is None else partition_of(key, partitions)
