from __future__ import annotations

import random

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaProducer

from streaming.partition import partition_of
from streaming.topics import TopicSpec, apply

pytestmark = pytest.mark.kafka

PARTITIONS = 12
CHANCE = random.Random(2011)
KEYS = [CHANCE.randbytes(length) for length in range(1, 41) for _ in range(10)]


def where_they_stand(kafka: str, topic: str) -> dict[bytes | None, int | None]:
    """Partition of each key, read back from the topic."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    try:
        messages = consumer.consume(len(KEYS), 30)
    finally:
        consumer.close()
    assert len(messages) == len(KEYS)
    return {message.key(): message.partition() for message in messages}


def test_we_choose_the_partition_that_librdkafkas_murmur2_chooses(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "keys"
    apply(kafka, [TopicSpec(topic, PARTITIONS)])
    producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2_random"})
    for key in KEYS:
        producer.produce(topic, b"x", key)
    producer.flush(30)
    found = where_they_stand(kafka, topic)

    assert found == {key: partition_of(key, PARTITIONS) for key in KEYS}


def test_we_choose_the_partition_that_kafka_python_chooses(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "keys"
    apply(kafka, [TopicSpec(topic, PARTITIONS)])
    producer = KafkaProducer(bootstrap_servers=kafka)
    for key in KEYS:
        producer.send(topic, b"x", key)
    producer.close()
    found = where_they_stand(kafka, topic)

    assert found == {key: partition_of(key, PARTITIONS) for key in KEYS}


def test_librdkafkas_own_default_is_another_and_must_not_be_relied_on(kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "keys"
    apply(kafka, [TopicSpec(topic, PARTITIONS)])
    producer = Producer({"bootstrap.servers": kafka})
    for key in KEYS:
        producer.produce(topic, b"x", key)
    producer.flush(30)
    found = where_they_stand(kafka, topic)

    assert found != {key: partition_of(key, PARTITIONS) for key in KEYS}
