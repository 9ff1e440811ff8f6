from __future__ import annotations

import socket

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaAdminClient

from streaming.admin import KafkaRefused
from streaming.topics import Change, PartitionLag, TopicSpec, apply, lag

pytestmark = pytest.mark.kafka


def spec(topic: str, **config: str) -> TopicSpec:
    return TopicSpec(topic, 3, {name.replace("_", "."): value for name, value in config.items()})


def kinds(done: list[Change]) -> list[tuple[str, str]]:
    return [(change.topic, change.kind) for change in done]


def test_topics_are_created_once_and_then_left_alone(kafka: str, topic_prefix: str) -> None:
    specs = [spec(topic_prefix + "a", cleanup_policy="compact,delete", retention_ms="-1"), spec(topic_prefix + "b")]

    assert kinds(apply(kafka, specs)) == [(topic_prefix + "a", "created"), (topic_prefix + "b", "created")]
    assert apply(kafka, specs) == []


def test_a_changed_setting_reaches_the_broker_and_the_others_stay(kafka: str, topic_prefix: str) -> None:
    name = topic_prefix + "a"
    apply(kafka, [spec(name, cleanup_policy="compact", retention_ms="1000")])

    assert apply(kafka, [spec(name, retention_ms="2000")]) == [
        Change(name, "config_changed", "retention.ms: 1000 → 2000")
    ]
    assert apply(kafka, [spec(name, cleanup_policy="compact", retention_ms="2000")]) == []


def test_a_different_number_of_partitions_is_said_and_left(kafka: str, topic_prefix: str) -> None:
    name = topic_prefix + "a"
    apply(kafka, [spec(name)])

    assert kinds(apply(kafka, [TopicSpec(name, 2), TopicSpec(topic_prefix + "b", 1)])) == [
        (name, "partitions_differ"),
        (topic_prefix + "b", "created"),
    ]
    assert kinds(apply(kafka, [TopicSpec(name, 5)])) == [(name, "partitions_differ")]
    assert [len(topic["partitions"]) for topic in described(kafka, name)] == [3]


def described(kafka: str, name: str) -> list[dict[str, list[object]]]:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        return list(admin.describe_topics([name]))
    finally:
        admin.close()


def test_a_setting_that_no_broker_takes_is_refused_with_its_name(kafka: str, topic_prefix: str) -> None:
    name = topic_prefix + "a"
    apply(kafka, [spec(name)])

    with pytest.raises(KafkaRefused, match=r"retention\.ms"):
        apply(kafka, [spec(name, retention_ms="a while")])
    with pytest.raises(KafkaRefused, match=r"retention\.years"):
        apply(kafka, [spec(name, retention_years="3")])


def test_lag_counts_records_and_not_the_markers_of_transactions(kafka: str, topic_prefix: str) -> None:
    topic, group = topic_prefix + "a", topic_prefix + "group"
    apply(kafka, [TopicSpec(topic, 2)])
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic_prefix + "producer"})
    producer.init_transactions(30)
    for _ in range(3):  # offsets of partition 0: 0, 1, marker, 3, 4, marker, 6, 7, marker
        producer.begin_transaction()
        producer.produce(topic, b"first", partition=0)
        producer.produce(topic, b"second", partition=0)
        producer.commit_transaction(30)
    commit(kafka, group, topic, 0, 4)

    assert lag(kafka, group, [topic, topic_prefix + "not-there"]) == [
        PartitionLag(topic, 0, committed=4, end=9, records=3),
        PartitionLag(topic, 1, committed=None, end=0, records=0),
    ]

    commit(kafka, group, topic, 0, 8)

    assert [part.records for part in lag(kafka, group, [topic])] == [0, 0]
    assert [part.records for part in lag(kafka, group, [topic], committed={(topic, 0): 7})] == [1, 0]
    assert [part.records for part in lag(kafka, topic_prefix + "nobody", [topic])] == [6, 0]


def test_a_broker_that_hangs_keeps_nobody_from_asking_the_others(kafka: str, topic_prefix: str) -> None:
    """It takes connections, for its kernel does that, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        servers = f"127.0.0.1:{hangs.getsockname()[1]},{kafka}"

        assert kinds(apply(servers, [spec(topic_prefix + "a")], patience=8)) == [(topic_prefix + "a", "created")]

        producer = Producer({"bootstrap.servers": kafka})
        producer.produce(topic_prefix + "a", b"one", partition=0)
        producer.flush(30)

        assert (
            sum(part.records for part in lag(servers, topic_prefix + "nobody", [topic_prefix + "a"], patience=8)) == 1
        )


def commit(kafka: str, group: str, topic: str, partition: int, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    finally:
        consumer.close()
