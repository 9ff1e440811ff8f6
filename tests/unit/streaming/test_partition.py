from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_pythons

from streaming.partition import destination, murmur2, partition_of

# Hashes from Apache Kafka's own test: clients, UtilsTest.testMurmur2.
APACHE = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("partitions", [1, 4, 12, 1000])
@pytest.mark.parametrize("key", APACHE)
def test_keys_go_where_apache_kafkas_hash_sends_them(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (APACHE[key] & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=200))
def test_the_hash_is_kafka_pythons(key: bytes) -> None:
    assert murmur2(key) == kafka_pythons(key) & 0xFFFFFFFF


def test_a_chosen_partition_comes_before_the_keys_and_the_keys_before_the_sources() -> None:
    abc = 479470107 % 4

    assert destination(b"abc", 2, source=1, partitions=4) == 2
    assert destination(b"abc", None, source=1, partitions=4) == abc
    assert destination(None, None, source=5, partitions=4) == 1
