"""The group of a quiet topic that does not settle: the stage beside it does not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.quiet_topic import Quiet
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka]

WAIT = 60.0


@pytest.fixture
def answers(real_kafka: str, topic_prefix: str, tmp_path: Path) -> Quiet:
    return Quiet(real_kafka, topic_prefix, tmp_path / "quiet")


@pytest.fixture
def idler(answers: Quiet) -> Iterator[Any]:
    """A member of the group that never answers its call to join again: the broker waits for it for five minutes."""
    consumer = KafkaConsumer(
        answers.topic,
        bootstrap_servers=answers.bootstrap,
        group_id=f"{answers.group}.agents",
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
    )
    until(lambda: consumer.poll(100) or consumer.assignment(), WAIT, "it to have the partitions")
    yield consumer
    consumer.close(autocommit=False)


def test_a_stage_works_while_the_group_of_the_quiet_topic_beside_it_does_not_settle(answers: Quiet, idler: Any) -> None:
    ready = threading.Event()
    running = Running(answers.app(ready))
    try:
        assert ready.wait(WAIT), "the stage waits for the group"
        assert not running.app.up.is_set()
        idler.close(autocommit=False)
        until(running.app.up.is_set, WAIT, "Faust's consumer to join")
        producer = Producer({"bootstrap.servers": answers.bootstrap})
        producer.produce(answers.topic, b"won", b"k", 0)
        producer.flush(WAIT)
        until(lambda: answers.taken, WAIT, "the record to be taken")
        running.check()
    finally:
        running.stop()

    assert answers.taken == [(0, b"won")]
