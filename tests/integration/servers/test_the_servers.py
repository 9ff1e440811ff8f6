"""The servers that tests run on do what the tests rely on."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from sqlalchemy import create_engine, text

from tests.kafka.node import Node
from tests.waiting import until


def write(bootstrap: str, topic: str, value: bytes) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    if topic not in admin.list_topics():
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send(topic, value).get(timeout=30)
    producer.close()


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest",
                             isolation_level="read_committed")  # fmt: skip
    found: list[bytes] = []

    def enough() -> bool:
        found.extend(record.value for records in consumer.poll(200).values() for record in records)
        return len(found) >= count

    try:
        until(enough, 30, f"{count} records in {topic}")
    finally:
        consumer.close()
    return found


@pytest.mark.kafka
def test_a_broker_gives_back_what_it_was_given(kafka: str, topic_prefix: str) -> None:
    write(kafka, f"{topic_prefix}first", b"one")

    assert [b"one"] == read(kafka, f"{topic_prefix}first", 1)


@pytest.mark.kafka
@pytest.mark.real_kafka
def test_a_killed_node_comes_back_with_its_data_on_the_same_port(kafka_node: Node) -> None:
    before = kafka_node.bootstrap
    write(before, "kept", b"one")
    kafka_node.kill()

    assert kafka_node.pid is None

    kafka_node.start()

    assert before == kafka_node.bootstrap
    assert [b"one"] == read(before, "kept", 1)


@pytest.mark.postgres
def test_every_test_has_a_database_of_its_own(fresh_database: Callable[[], str]) -> None:
    first, second = fresh_database(), fresh_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE leads (id text)")
    with create_engine(second).connect() as connection:
        there = connection.execute(text("SELECT to_regclass('leads')")).scalar()

    assert there is None


def test_waiting_for_what_never_comes_ends_with_what_was_waited_for() -> None:
    with pytest.raises(TimeoutError, match=r"waited 0\.01 s for the moon; the last answer was 0"):
        until(lambda: 0, 0.01, "the moon", every=0.001)
