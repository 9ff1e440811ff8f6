"""One hop of the bare chain: takes records of one topic on to the next, a transaction a round. A process.

No handler, no state, no metrics, nothing is recovered: what librdkafka and the broker need for it, and no more. Paced
as a stage is. `sound` is exactly once: records, changelog and offsets in one transaction; else each round waits for its
acknowledgements and commits its offsets.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from streaming.faust.pace import Pace

ROUND, LINGER_SECONDS, IDLE_SECONDS = 4_000, 0.005, 0.2


class Order(msgspec.Struct, kw_only=True):
    """From where to where. Of `every` records one goes on; `last` writes what the reader of the bench looks for."""

    bootstrap: str
    source: str
    out: str
    changelog: str
    sound: bool
    every: int = 1
    last: bool = False


class Hop:
    """A consumer and a producer."""

    def __init__(self, order: Order) -> None:
        self.order, self.seen = order, 0
        self._consumer = Consumer(
            {
                "bootstrap.servers": order.bootstrap,
                "group.id": f"hop-{order.source}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
                "fetch.queue.backoff.ms": 10,
            }
        )
        exact = {"transactional.id": f"hop-{order.source}"} if order.sound else {"enable.idempotence": True}
        self._producer = Producer(
            {"bootstrap.servers": order.bootstrap, "linger.ms": 0, "retry.backoff.ms": 10, "max.in.flight": 1, **exact}
        )

    def run(self) -> None:
        """Until killed."""
        if self.order.sound:
            self._producer.init_transactions(30)
        self._consumer.subscribe([self.order.source])
        pace = Pace()
        while True:
            first = self._consumer.consume(1, IDLE_SECONDS)
            if not first:
                continue
            more = self._consumer.consume(ROUND - 1, max(LINGER_SECONDS, pace.left(monotonic())))
            began = monotonic()
            self._round([one for one in (*first, *more) if one.error() is None])
            pace.ended(began, monotonic())

    def _round(self, records: list[Any]) -> None:
        order, producer = self.order, self._producer
        if order.sound:
            producer.begin_transaction()
        ends: dict[int, int] = {}
        for record in records:
            number = record.partition()
            ends[number] = record.offset() + 1
            self.seen += 1
            if self.seen % order.every == 0:
                producer.produce(order.out, self._value(record.value()), record.key(), number, headers=record.headers())
            producer.produce(order.changelog, record.value(), record.key(), number)
        offsets = [TopicPartition(order.source, number, end) for number, end in ends.items()]
        if order.sound:
            producer.send_offsets_to_transaction(offsets, self._consumer.consumer_group_metadata())
            producer.commit_transaction()
        else:
            producer.flush()
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def _value(self, value: bytes) -> bytes:
        if not self.order.last:
            return value
        return msgspec.json.encode({"clocks": {"captured_at": msgspec.json.decode(value)["occurred_at"]}})


if __name__ == "__main__":
    Hop(msgspec.json.decode(sys.argv[1], type=Order)).run()
