"""FastStream with a batch subscriber. It has no state: a dict, and a changelog by hand; acknowledged after both."""

from __future__ import annotations

import asyncio

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaMessage, KafkaPublishMessage

from bench.peers.work import Place, Work

place, work = Place.of_environment(), Work()
broker = KafkaBroker(
    place.bootstrap,
    acks="all",
    linger_ms=5,
    logger=None,
    apply_types=False,
    config={"queue.buffering.max.messages": 1_000_000},
)
app = FastStream(broker, logger=None)
state: dict[int, dict[bytes, bytes]] = {number: {} for number in range(place.partitions)}


@broker.subscriber(  # type: ignore[untyped-decorator]  # it is installed in an environment of its own
    place.source,
    batch=True,
    max_records=4_000,
    group_id=place.group,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.ACK,
    decoder=lambda message: message,
    no_reply=True,
)
async def score(message: KafkaMessage) -> None:
    """Score a batch."""
    parts: dict[int, list[object]] = {}
    for record in message.raw_message:
        parts.setdefault(record.partition(), []).append(record)
    published = []
    for number, records in parts.items():
        outputs, changed = work.many(records, state[number])
        scored = [  # scoring writes no header without a value
            KafkaPublishMessage(
                o.value,
                key=o.key,
                headers={name: value.decode() for name, value in o.headers},  # type: ignore[union-attr]
            )
            for o in outputs
        ]
        kept = [KafkaPublishMessage(value, key=key) for key, value in changed.items()]
        published.append(broker.publish_batch(*scored, topic=place.out, partition=number))
        published.append(broker.publish_batch(*kept, topic=place.changelog, partition=number))
    await asyncio.gather(*published)


if __name__ == "__main__":
    asyncio.run(app.run())
