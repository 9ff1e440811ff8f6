"""A producer's first batch for a partition, refused while the second is under way: nothing of it may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from services.ingest.publisher import KafkaPublisher, Outgoing
from streaming.faust.settings import EngineSettings
from tests.integration.engine.between import standing_between
from tests.integration.engine.committed import committed
from tests.integration.engine.place import WAIT
from tests.integration.engine.refusing import Refusing
from tests.kafka import jars
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka]

TOPIC = "first"
BOTH = [b"one", b"two"]


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[tuple[str, Refusing]]:
    if reason := jars.obstacle():
        pytest.skip(f"needs a Kafka node of its own: {reason}")
    with standing_between(tmp_path / "node", lambda door, node: Refusing(door, node, TOPIC)) as (bootstrap, refuser):
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result()
        yield bootstrap, refuser


def send_both(producer: Producer, refuser: Refusing) -> list[object]:
    """What the producer said of the two records; each in a batch of its own."""
    said: list[object] = []
    heard: Callable[..., None] = lambda error, _: said.append(error)  # noqa: E731
    producer.produce(TOPIC, BOTH[0], partition=0, on_delivery=heard)
    until(lambda: producer.poll(0) or refuser.first.is_set(), WAIT, "the first batch to leave", every=0.005)
    producer.produce(TOPIC, BOTH[1], partition=0, on_delivery=heard)
    assert producer.flush(WAIT) == 0
    return said


def test_librdkafka_loses_it_and_says_that_it_is_delivered(refused: tuple[str, Refusing]) -> None:
    """Where this fails, a release has mended it, and ours need no longer wait for each answer."""
    bootstrap, refuser = refused
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 0})

    assert send_both(producer, refuser) == [None, None]
    assert committed(bootstrap, TOPIC) == BOTH[1:]


def test_the_producer_of_a_stage_commits_both(refused: tuple[str, Refusing], tmp_path: Path) -> None:
    bootstrap, refuser = refused
    settings = EngineSettings(bootstrap=bootstrap, group="g", data_dir=tmp_path)
    producer = settings.transactional_producer("one")
    producer.init_transactions(WAIT)
    producer.begin_transaction()
    send_both(producer, refuser)
    producer.commit_transaction(WAIT)

    assert refuser.first.is_set()
    assert committed(bootstrap, TOPIC) == BOTH


async def test_the_collector_publishes_both(refused: tuple[str, Refusing]) -> None:
    bootstrap, refuser = refused
    publisher = KafkaPublisher({"bootstrap.servers": bootstrap}, deadline=WAIT)
    first = asyncio.create_task(publisher.publish([Outgoing(TOPIC, b"key", BOTH[0])]))
    await asyncio.to_thread(until, refuser.first.is_set, WAIT, "the first batch to leave", 0.005)
    await publisher.publish([Outgoing(TOPIC, b"key", BOTH[1])])
    await first
    await publisher.close()

    assert await asyncio.to_thread(committed, bootstrap, TOPIC) == BOTH
