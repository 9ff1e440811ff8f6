from __future__ import annotations

import pytest

from streaming.partition import partition_of

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
