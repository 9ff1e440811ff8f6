"""What a reader of committed records finds in a topic of one partition."""

from __future__ import annotations

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.integration.engine.place import WAIT


def committed(bootstrap: str, topic: str) -> list[bytes | None]:
    """Values, in order, up to the end."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        values = []
        while (message := consumer.poll(WAIT)) is not None and message.error() is None:
            values.append(message.value())
        return values
    finally:
        consumer.close()
