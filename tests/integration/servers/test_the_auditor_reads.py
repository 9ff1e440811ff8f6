"""The auditor sees what was committed, and only that."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from kafka.admin import KafkaAdminClient

from tests.audit.records import read_all, topics_of


@pytest.mark.kafka
def test_an_aborted_transaction_is_not_seen_and_the_end_is_reached(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}marketing.events"
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}})
    admin.close()
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic_prefix})
    producer.init_transactions(30)
    for value, end in ((b'{"event_id": "kept"}', "commit"), (b'{"event_id": "gone"}', "abort")):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0, headers=[("ce_id", b"1")])
        producer.flush(30)
        producer.commit_transaction(30) if end == "commit" else producer.abort_transaction(30)

    assert topics_of(kafka, topic_prefix) == {topic}
    assert [(seen.value, seen.ce_id) for seen in read_all(kafka, [topic], 30)] == [({"event_id": "kept"}, "1")]
