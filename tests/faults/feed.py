"""Feeds the stages: events one after the other, so that some are always left to do, and people in bursts."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from confluent_kafka import Message, Producer

from tests.faults import closed_form, people

DELIVERY_MS = 600_000
CHUNK = 100


class Feeder:
    """What was sent and taken by the broker, by partition; with `failures` the run is void."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "max.in.flight": 1,
                "delivery.timeout.ms": DELIVERY_MS,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,  # a broker that is away says nothing new
            }
        )
        self.sent = 0
        self.ends: dict[int, int] = defaultdict(int)
        self.failures: list[str] = []
        self.stop = threading.Event()
        self.rest = threading.Event()

    def __str__(self) -> str:
        return f"{self.sent} sent, {sum(self.ends.values())} of them taken, {len(self._producer)} under way"

    def flush(self, seconds: float = 120) -> None:
        left = self._producer.flush(seconds)
        if left:
            self.failures.append(f"{left} records of the driver were not taken by the broker")

    def _taken(self, error: object, message: Message) -> None:
        if error is not None:
            self.failures.append(str(error))
        else:
            number, offset = message.partition(), message.offset()
            if number is not None and offset is not None:
                self.ends[number] = max(self.ends[number], offset + 1)


class SumsFeeder(Feeder):
    """Keeps so many events ahead of what the stage has done."""

    def __init__(self, bootstrap: str, topic: str, ahead: int, done: Callable[[], int]) -> None:
        super().__init__(bootstrap)
        self.topic, self.ahead, self.done = topic, ahead, done
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
                    self._producer.produce(
                        self.topic,
                        closed_form.value_of(event),
                        closed_form.key_of(event),
                        closed_form.partition_of(event),
                        on_delivery=self._taken,
                    )
                self.sent += CHUNK
            self._producer.poll(0.05)


class PeopleFeeder(Feeder):
    """A trickle of people, and more of them on demand. Each person's records are sent in order."""

    def __init__(self, bootstrap: str, prefix: str, every_seconds: float) -> None:
        super().__init__(bootstrap)
        self.prefix, self.every = prefix, every_seconds
        self.topic = prefix + people.SOURCE
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
            self._producer.produce(self.topic, record, key, on_delivery=self._taken)
        self._producer.poll(0)
        return len(records)

    def _poison(self, person: int) -> None:
        """What no stage would write, into the topics between them."""
        for topic in people.POISONED:
            self._producer.produce(
                self.prefix + topic,
                people.RUBBISH,
                people.email(person).encode(),
                headers=people.STRANGE,
                on_delivery=lambda error, _: self.failures.append(str(error)) if error is not None else None,
            )

    def _run(self) -> None:
        while not self.stop.wait(self.every):
            if not self.rest.is_set():
                self.burst(2)
            self._producer.poll(0)
