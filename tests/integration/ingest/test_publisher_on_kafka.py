from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer

from services.ingest.collector.app import make_collector
from services.ingest.publisher import KafkaPublisher, NotSafe, Outgoing
from services.ingest.source import Source, Sources
from tests.forgetful import broker_or_skip, forget, make_topic
from tests.waiting import until

pytestmark = pytest.mark.kafka

NOW = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)


def read(kafka: str, topic: str, count: int) -> list[Any]:
    """Everything in the topic, until `count` records have come."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"reader-{topic}", "auto.offset.reset": "earliest"})
    found: list[Any] = []
    try:
        consumer.subscribe([topic])

        def come() -> bool:
            found.extend(message for message in consumer.consume(1_000, 0.2) if message.error() is None)
            return len(found) >= count

        until(come, 30, f"{count} records in {topic}")
    finally:
        consumer.close()
    return found


async def test_what_the_door_says_is_taken_stands_in_the_topic(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}marketing.events"
    make_topic(kafka, topic)
    publisher = KafkaPublisher({"bootstrap.servers": kafka}, deadline=20)
    app = make_collector(Sources((Source("events", "events"),)), publisher, prefix=topic_prefix, clock=lambda: NOW)
    events: list[dict[str, Any]] = [
        {
            "event_id": f"e-{number}",
            "type": "page_viewed",
            "occurred_at": "2026-09-25T11:00:00Z",
            "source": "events",
            "subject": {"anonymous_id": f"c-{number % 7}"},
        }
        for number in range(500)
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test") as door:
        assert (await door.get("/readyz")).status_code == 200
        answers = await asyncio.gather(
            *(door.post("/v1/events", json=events[at : at + 10]) for at in range(0, 500, 10)), return_exceptions=True
        )
    await publisher.close()

    assert [202] * 50 == [answer.status_code for answer in answers if isinstance(answer, httpx.Response)]
    records = await asyncio.to_thread(read, kafka, topic, 500)
    assert sorted(json.loads(record.value())["event_id"] for record in records) == sorted(
        event["event_id"] for event in events
    )
    by_person: dict[str, set[int]] = {}
    for record in records:
        by_person.setdefault(json.loads(record.value())["subject"]["anonymous_id"], set()).add(record.partition())
    assert all(len(partitions) == 1 for partitions in by_person.values())


async def test_a_producer_that_librdkafka_gave_up_is_replaced_and_the_next_repeat_is_safe(tmp_path: Path) -> None:
    with broker_or_skip(tmp_path) as kafka:
        await asyncio.to_thread(make_topic, kafka, "t")
        publisher = KafkaPublisher({"bootstrap.servers": kafka}, deadline=5)
        for number in range(3):
            await publisher.publish([Outgoing("t", b"k", b"before %d" % number)])
        await asyncio.to_thread(forget, kafka, "t")
        with pytest.raises(NotSafe, match="OUT_OF_ORDER_SEQUENCE_NUMBER"):
            await publisher.publish([Outgoing("t", b"k", b"lost")])
        for number in range(3):
            await publisher.publish([Outgoing("t", b"k", b"after %d" % number)])
        well = publisher.unwell() == "" and await publisher.unready() == ""
        await publisher.close()
        found = [record.value() for record in await asyncio.to_thread(read, kafka, "t", 3)]

    assert well
    assert found == [b"after 0", b"after 1", b"after 2"]
