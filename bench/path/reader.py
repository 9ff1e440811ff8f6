"""A sales system that reads its queues, and an onlooker who reads what scoring writes. A process.

Both read committed records only. A record counts as readable when the client library has handed it out. Times are
seconds since the epoch; of what stands in records, to the microsecond.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.headers import CLOCKS
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, MARKETING_EVENTS, SALES_QUEUE

POLL_SECONDS = 0.2


class Order(msgspec.Struct, kw_only=True):
    """What to read, and where to write what was seen. `whole`: every topic of the path, for a trace."""

    bootstrap: str
    out: str
    whole: bool = False


class Seen(msgspec.Struct, array_like=True):
    """A record. `event` and `captured` where the record's value was looked into (None: it was not)."""

    topic: str
    lead: str
    stamped: float
    readable: float
    clocks: tuple[float, float, float]
    event: str | None = None
    captured: float | None = None
    assigned: float | None = None


class _Clocks(msgspec.Struct):
    captured_at: datetime | None = None
    assigned_at: datetime | None = None


class _Routed(msgspec.Struct):
    clocks: _Clocks


class _Inner(msgspec.Struct):
    event_id: str
    occurred_at: datetime | None = None


class _LeadEvent(msgspec.Struct):
    event: _Inner


class _Scored(msgspec.Struct):
    event_id: str


_routed = msgspec.json.Decoder(_Routed).decode
_inner = msgspec.json.Decoder(_Inner).decode
_lead_event = msgspec.json.Decoder(_LeadEvent).decode
_scored = msgspec.json.Decoder(_Scored).decode


class Reader:
    """Reads from the ends of the topics on, until it is stopped."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.seen: list[Seen] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": order.bootstrap,
                "group.id": "bench-path-reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
            }
        )

    def assign(self) -> None:
        """Take all partitions of all topics, at their ends; back once each was reached."""
        wanted = [LEADS_SCORED, *([MARKETING_EVENTS, LEADS_EVENTS] if self.order.whole else [])]
        topics = self._consumer.list_topics(timeout=30).topics
        names = [name for name in topics if name in wanted or name.startswith(SALES_QUEUE)]
        slots = [TopicPartition(name, number) for name in names for number in topics[name].partitions]
        for slot in slots:
            slot.offset = self._consumer.get_watermark_offsets(slot, timeout=30)[1]
        self._consumer.assign(slots)
        left = {(slot.topic, slot.partition) for slot in slots}
        while left:
            message = self._consumer.poll(POLL_SECONDS)
            if message is not None:
                self._note(message, time.time())
                left.discard((message.topic(), message.partition()))

    def read(self, stop: Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            message = self._consumer.poll(POLL_SECONDS)
            if message is None:
                continue
            more = self._consumer.consume(1_000, 0)
            now = time.time()
            for one in (message, *more):
                self._note(one, now)

    def close(self) -> None:
        """Write what was seen."""
        self._consumer.close()
        Path(self.order.out).write_bytes(msgspec.msgpack.encode(self.seen))

    def _note(self, message: Any, now: float) -> None:
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 confluent-kafka's name for it
                raise RuntimeError(str(error))
            return
        topic = message.topic()
        seen = Seen(topic, message.key().decode(), message.timestamp()[1] / 1000, now, clocks(message.headers()))
        if topic.startswith(SALES_QUEUE):
            told = _routed(message.value()).clocks
            seen.captured = told.captured_at.timestamp() if told.captured_at else None
            seen.assigned = told.assigned_at.timestamp() if told.assigned_at else None
        elif self.order.whole:
            if topic == LEADS_SCORED:
                seen.event = _scored(message.value()).event_id
            else:
                inner = _inner(message.value()) if topic == MARKETING_EVENTS else _lead_event(message.value()).event
                seen.event = inner.event_id
                seen.captured = inner.occurred_at.timestamp() if inner.occurred_at else None
        self.seen.append(seen)


def clocks(headers: Any) -> tuple[float, float, float]:
    """When the door, ingest and scoring had the event, by its record's headers; 0 where they do not say."""
    found = {name: value for name, value in headers or () if name in CLOCKS}
    received, ingested, scored = (
        datetime.fromisoformat(found[name].decode()).timestamp() if name in found else 0.0 for name in CLOCKS
    )
    return received, ingested, scored


def seen_in(path: Path) -> list[Seen]:
    """What a reader has written."""
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Seen])


def main() -> None:
    """An order in the first line of standard input; `ready` once every topic's end is reached; until the input ends."""
    order = msgspec.json.decode(sys.stdin.readline(), type=Order)
    reader, stop = Reader(order), Event()
    reader.assign()
    print("ready", flush=True)
    reading = Thread(target=reader.read, args=(stop,))
    reading.start()
    sys.stdin.read()
    stop.set()
    reading.join()
    reader.close()


if __name__ == "__main__":
    main()
