"""Feeds the stages: events one after the other, so that some are always left to do, and people in bursts."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from tests.faults import closed_form, people

DELIVERY_MS = 600_000
CHUNK = 100
SILENT_SECONDS = 100.0
"""Longer than any fault lasts. A client has been seen that sent nothing any more after a broker's restart."""
PURGED = frozenset((KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT))


class Feeder:
    """What was sent and taken by the broker, by partition; with `failures` the run is void.

    Nobody else writes into `topic`. So where the client falls silent for good, another one can go on behind what the
    broker has, and neither loses nor doubles anything.
    """

    def __init__(self, bootstrap: str, topic: str, silent_seconds: float = SILENT_SECONDS) -> None:
        self.topic, self._silent_seconds = topic, silent_seconds
        self._config = {"bootstrap.servers": bootstrap, "log_level": 0}  # a broker that is away says nothing new
        self._producer = self._made()
        self._heard = monotonic()
        self._back: list[Message] = []
        self.sent = 0
        self.begun_anew = 0
        self.ends: dict[int, int] = defaultdict(int)
        self.failures: list[str] = []
        self.stop = threading.Event()
        self.rest = threading.Event()

    def __str__(self) -> str:
        return (
            f"{self.sent} sent, {sum(self.ends.values())} of them taken, {len(self._producer)} under way, "
            f"{self.begun_anew} times by another client"
        )

    def flush(self, seconds: float = 120) -> None:
        left = self._producer.flush(seconds)
        if left:
            self.failures.append(f"{left} records of the driver were not taken by the broker")

    def _made(self) -> Producer:
        return Producer(
            self._config
            | {
                "enable.idempotence": True,
                "max.in.flight": 1,
                "delivery.timeout.ms": DELIVERY_MS,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
            }
        )

    def _produce(self, topic: str, value: bytes | None, key: bytes | None, **more: Any) -> None:
        while True:
            try:
                return self._producer.produce(topic, value, key, on_delivery=self._taken, **more)
            except BufferError:
                self._look(1.0)

    def _look(self, seconds: float) -> None:
        """Hear what was taken, and let another client go on where this one has been silent for too long."""
        self._producer.poll(seconds)
        if len(self._producer) == 0:
            self._heard = monotonic()
        elif monotonic() - self._heard > self._silent_seconds:
            with suppress(KafkaException):  # nobody answers: once more, later
                self._begin_anew()

    def _begin_anew(self) -> None:
        with_it = Consumer(self._config | {"group.id": "the driver"})
        try:
            with_it.list_topics(self.topic, timeout=5)
            self._producer.purge()
            self._producer.flush(10)
            self._producer = self._made()
            ends = {n: with_it.get_watermark_offsets(TopicPartition(self.topic, n), 5)[1] for n in self._numbers()}
        finally:
            with_it.close()
        back, self._back = self._back, []
        for message in back:
            number = message.partition()
            if message.topic() == self.topic and number is not None and self.ends[number] < ends[number]:
                self.ends[number] += 1  # taken, and the word of it was lost
            else:
                headers = message.headers()
                more = {} if headers is None else {"headers": headers}
                self._produce(message.topic() or "", message.value(), message.key(), partition=number, **more)
        self._heard = monotonic()
        self.begun_anew += 1
        print(f"the driver's client of {self.topic} fell silent: another one sends {len(back)} records", flush=True)

    def _numbers(self) -> set[int]:
        return {number for message in self._back if (number := message.partition()) is not None}

    def _taken(self, error: KafkaError | None, message: Message) -> None:
        self._heard = monotonic()
        if error is not None and error.code() in PURGED:
            self._back.append(message)
        elif error is not None:
            self.failures.append(str(error))
        elif message.topic() == self.topic:
            number, offset = message.partition(), message.offset()
            if number is not None and offset is not None:
                self.ends[number] = max(self.ends[number], offset + 1)


class SumsFeeder(Feeder):
    """Keeps so many events ahead of what the stage has done."""

    def __init__(self, bootstrap: str, topic: str, ahead: int, done: Callable[[], int]) -> None:
        super().__init__(bootstrap, topic)
        self.ahead, self.done = ahead, done
        self._thread = threading.Thread(target=self._run, name=f"feed {topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self.stop.is_set():
            if not self.rest.is_set() and self.sent - self.done() < self.ahead:
                for event in range(self.sent, self.sent + CHUNK):
                    self._produce(
                        self.topic,
                        closed_form.value_of(event),
                        closed_form.key_of(event),
                        partition=closed_form.partition_of(event),
                    )
                self.sent += CHUNK
            self._look(0.05)


class PeopleFeeder(Feeder):
    """A trickle of people, and more of them on demand. Each person's records are sent in order."""

    def __init__(self, bootstrap: str, prefix: str, every_seconds: float) -> None:
        super().__init__(bootstrap, prefix + people.SOURCE)
        self.prefix, self.every = prefix, every_seconds
        self.people = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"feed {self.topic}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join()
        self.flush()

    def burst(self, count: int) -> None:
        with self._lock:
            for person in range(self.people, self.people + count):
                self.sent += self._send(person)
                for _ in range(people.poison_after(person)):
                    self._poison(person)
            self.people += count

    def again(self) -> None:
        """All that was sent is sent once more, in the same order."""
        for person in range(self.people):
            self._send(person)
        self.flush()

    def _send(self, person: int) -> int:
        """All records of a person; how many they are."""
        records, key = people.records(person), people.email(person).encode()
        for record in records:
            self._produce(self.topic, record, key)
        self._look(0)
        return len(records)

    def _poison(self, person: int) -> None:
        """What no stage would write, into the topics between them."""
        for topic in people.POISONED:
            self._produce(self.prefix + topic, people.RUBBISH, people.email(person).encode(), headers=people.STRANGE)

    def _run(self) -> None:
        while not self.stop.wait(self.every):
            if not self.rest.is_set():
                self.burst(2)
            with self._lock:
                self._look(0)
