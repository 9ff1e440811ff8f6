"""The one place that chooses partitions: murmur2, as Java's, kafka-python's and librdkafka's `murmur2_random` do.

Source: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`, BuiltInPartitioner.partitionForKey. Written
here since kafka-python's goes byte by byte, which takes more than twice as long; tests compare the two.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

KEPT = 20_000
"""Keys whose partition is remembered, some 5 MB: to look one up takes a thirtieth of what it takes to hash it."""
_SEED, _MIX, _WORD = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Hash of `data`, from 0 to 2^32 - 1."""
    length = len(data)
    mixed = _SEED ^ length
    for word in _words(length >> 2).unpack_from(data):
        word = word * _MIX & _WORD  # noqa: PLW2901 a name of its own would cost time for each word
        mixed = (mixed * _MIX ^ (word ^ word >> 24) * _MIX) & _WORD
    if length & 3:
        mixed = (mixed ^ int.from_bytes(data[length & ~3 :], "little")) * _MIX & _WORD
    mixed = (mixed ^ mixed >> 13) * _MIX & _WORD
    return mixed ^ mixed >> 15


@lru_cache(KEPT)
def partition_of(key: bytes, partitions: int) -> int:
    """Partition of `key` in a topic of so many partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def destination(key: bytes | None, chosen: int | None, source: int, partitions: int) -> int:
    """Partition of a record in a topic of so many: the `chosen` one, else the key's, else that of its source."""
    if chosen is not None:
        return chosen
    return source % partitions if key is None else partition_of(key, partitions)


@lru_cache(256)
def _words(count: int) -> Struct:
    """Reads so many 32-bit words."""
    return Struct(f"<{count}I")
