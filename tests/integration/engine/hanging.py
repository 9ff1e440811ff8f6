"""Offsets of a transaction whose end the broker has forgotten, as after a crash: its coordinator has nothing open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.protocol.producer import TxnOffsetCommitRequest

from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

VERIFIES = "transaction.partition.verification.enable"
Topic = TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic
Part = Topic.TxnOffsetCommitRequestPartition


def leave_hanging(place: Place, name: str, offsets: Mapping[int, int]) -> None:
    """Offsets by partition, sent by the id `name` outside of any transaction, so that nothing ever ends them."""
    producer = Producer({"bootstrap.servers": place.bootstrap, "transactional.id": name})
    producer.init_transactions(WAIT)
    admin = KafkaAdminClient(bootstrap_servers=[place.bootstrap])
    try:
        _verify(admin, "false")
        known = admin.describe_transactions([name])[name]
        parts = [
            Part(partition_index=number, committed_offset=offset, committed_leader_epoch=-1, committed_metadata="")
            for number, offset in offsets.items()
        ]
        request = TxnOffsetCommitRequest(
            transactional_id=name,
            group_id=place.prefix + "counting",
            producer_id=known.producer_id,
            producer_epoch=known.producer_epoch,
            generation_id=-1,
            member_id="",
            group_instance_id=None,
            topics=[Topic(name=place.prefix + "events", partitions=parts)],
            max_version=3,
        )
        until(lambda: _taken(admin, request), WAIT, "a broker to take an offset outside of a transaction", every=0.2)
    finally:
        _verify(admin, "true")
        admin.close()


def _verify(admin: KafkaAdminClient, value: str) -> None:
    for broker in admin.describe_cluster()["brokers"]:
        name = str(broker["broker_id"] if "broker_id" in broker else broker["node_id"])
        admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, name, {VERIFIES: value})])


def _taken(admin: Any, request: Any) -> bool:
    answer = admin._manager.run(admin._manager.send, request)
    return {part.error_code for topic in answer.topics for part in topic.partitions} == {0}
