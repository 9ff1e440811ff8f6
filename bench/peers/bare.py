"""A bare confluent-kafka loop: the limit in Python. Our decoder, handler and gc setting; nothing is recovered.

Consume, call the handler, produce outputs and changelog, wait until all are acknowledged, commit: at least once.
"""

from __future__ import annotations

import gc

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.peers.work import Place, Work
from streaming.faust.settings import FETCHED_ROUNDS
from streaming.faust.worker import GC_THRESHOLDS

ROUND, LINGER = 4_000, 0.005


def main() -> None:
    """Run until killed."""
    place, work = Place.of_environment(), Work()
    lost: list[object] = []
    producer = Producer(
        {
            "bootstrap.servers": place.bootstrap,
            "linger.ms": 0,
            "acks": "all",
            "batch.size": 900_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 262_144,
            "delivery.report.only.error": True,
            "on_delivery": lambda error, _: lost.append(error),
        }
    )
    consumer = Consumer(
        {
            "bootstrap.servers": place.bootstrap,
            "group.id": place.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "queued.min.messages": FETCHED_ROUNDS * ROUND,
            "fetch.queue.backoff.ms": 10,
        }
    )
    consumer.subscribe([place.source])
    state: dict[int, dict[bytes, bytes]] = {number: {} for number in range(place.partitions)}
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    while True:
        records = consumer.consume(1, 0.2)
        if not records:
            continue
        records += consumer.consume(ROUND - 1, LINGER)
        parts: dict[int, list[object]] = {}
        for record in records:
            parts.setdefault(record.partition(), []).append(record)  # type: ignore[arg-type]
        for number, of_one in parts.items():
            outputs, changed = work.many(of_one, state[number])
            for output in outputs:
                producer.produce(place.out, output.value, output.key, number, headers=output.headers)  # type: ignore[arg-type]
            producer.produce_batch(place.changelog, [{"key": k, "value": v} for k, v in changed.items()], number)
        if producer.flush(30) or lost:
            raise SystemExit(f"lost: {lost[:1]}")
        ends = [TopicPartition(place.source, n, part[-1].offset() + 1) for n, part in parts.items()]  # type: ignore[attr-defined]
        consumer.commit(offsets=ends, asynchronous=True)


if __name__ == "__main__":
    main()
