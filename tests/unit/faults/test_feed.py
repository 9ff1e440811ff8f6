"""A driver whose client falls silent goes on with another one, behind what the broker has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from tests.faults import feed


class Sent:
    """A record as a report of its delivery shows it."""

    def __init__(self, topic: str, value: bytes, key: bytes, partition: int, offset: int | None = None) -> None:
        self._of = topic, value, key, partition, offset

    def topic(self) -> str:
        return self._of[0]

    def value(self) -> bytes:
        return self._of[1]

    def key(self) -> bytes:
        return self._of[2]

    def partition(self) -> int:
        return self._of[3]

    def offset(self) -> int | None:
        return self._of[4]

    def headers(self) -> None:
        return None


class Purged:
    def code(self) -> int:
        return KafkaError._PURGE_QUEUE


class Broker:
    """One partition. While it is `silent`, it takes `takes` records more and no client hears of any."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.silent, self.takes = False, 0

    def make(self, _: dict[str, Any]) -> Client:
        return Client(self)

    def list_topics(self, *_: Any, **__: Any) -> None: ...

    def get_watermark_offsets(self, *_: Any) -> tuple[int, int]:
        return 0, len(self.log)

    def close(self) -> None: ...


class Client:
    def __init__(self, broker: Broker) -> None:
        self.broker, self.mute = broker, broker.silent
        self.waiting: list[tuple[Sent, Callable[..., None]]] = []

    def __len__(self) -> int:
        return len(self.waiting)

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[..., None], partition: int) -> None:
        self.waiting.append((Sent(topic, value, key, partition), on_delivery))
        if self.broker.silent and self.broker.takes:
            self.broker.takes -= 1
            self.broker.log.append(value)

    def poll(self, _: float) -> None:
        if self.broker.silent:
            return
        for sent, heard in self.waiting:
            self.broker.log.append(sent.value())
            heard(None, Sent(sent.topic(), sent.value(), sent.key(), 0, len(self.broker.log) - 1))
        self.waiting.clear()

    def purge(self) -> None:
        self.broker.silent = False

    def flush(self, _: float) -> int:
        for sent, heard in self.waiting:
            heard(Purged(), sent)
        self.waiting.clear()
        return 0


@pytest.mark.parametrize("taken", [0, 3, 5])
def test_a_client_that_fell_silent_is_followed_by_one_that_neither_loses_nor_doubles(
    monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    broker = Broker()
    monkeypatch.setattr(feed, "Producer", broker.make)
    monkeypatch.setattr(feed, "Consumer", lambda _: broker)
    feeder = feed.Feeder("nowhere", "events", silent_seconds=0.0)
    for number in range(10):
        if number == 5:
            feeder._look(0)
            broker.silent, broker.takes = True, taken
        feeder._produce("events", b"%d" % number, b"key", partition=0)
    feeder._look(0)
    feeder._look(0)

    assert broker.log == [b"%d" % number for number in range(10)]
    assert (dict(feeder.ends), feeder.begun_anew, feeder.failures) == ({0: 10}, 1, [])
