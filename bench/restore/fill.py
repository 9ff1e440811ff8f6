"""A changelog as scoring writes it: profiles of the bench's world, in transactions, each lead's latest value kept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from uuid import UUID, uuid5

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.peers.work import Record, Work
from bench.world import records
from streaming.faust.settings import EngineSettings
from streaming.partition import partition_of
from tests.waiting import until

EVENTS, ACTIVE = 30_000, 5_003
ROUND = 4_000
AGAIN = 10  # every so manieth key is written once more
COMPACTED = {"cleanup.policy": "compact", "retention.ms": "-1", "segment.ms": "60000"}
_SPACE = UUID("8c5e1b0a-6c0f-4f0e-9d1c-5b7b3a3f0c11")


@lru_cache(1)
def profiles() -> list[bytes]:
    """What scoring keeps of some thousand leads after a part of the world, in its own bytes."""
    work, state = Work(), {}  # type: ignore[var-annotated]
    world = records(EVENTS, ACTIVE)
    while taken := list(islice(world, ROUND)):
        work.many([Record(*one) for one in taken], state)
    return list(state.values())


def key(n: int) -> bytes:
    """The n-th key, in the form of a lead's id."""
    return str(uuid5(_SPACE, str(n))).encode()


def writes(keys: int) -> Iterator[tuple[bytes, bytes]]:
    """Every key once, and a share of them again with another value. Profiles are dealt out to more leads than had them:
    their sizes are real, and no two values are one object in a reader's memory.
    """
    values = profiles()
    for n in range(keys):
        yield key(n), values[n % len(values)]
    for n in range(0, keys, AGAIN):
        yield key(n), values[(n + 1) % len(values)]


def fill(settings: EngineSettings, topic: str, partitions: int, keys: int) -> int:
    """Make `topic` and write it full; how many records that were."""
    admin = AdminClient(settings.client())
    admin.create_topics([NewTopic(topic, partitions, 1, config=COMPACTED)])[topic].result()
    until(lambda: topic in admin.list_topics(timeout=10).topics, 30, f"{topic} to show")
    producer = settings.transactional_producer("bench-restore-fill")
    producer.init_transactions(30)
    count, world = 0, writes(keys)
    while taken := list(islice(world, ROUND)):
        producer.begin_transaction()
        _write(producer, topic, partitions, taken)
        producer.commit_transaction(60)
        count += len(taken)
    return count


def _write(producer: Producer, topic: str, partitions: int, pairs: list[tuple[bytes, bytes]]) -> None:
    for name, value in pairs:
        producer.produce(topic, value, name, partition_of(name, partitions))
