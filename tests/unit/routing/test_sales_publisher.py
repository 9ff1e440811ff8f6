"""A client of `sales.outcomes` that delivers nothing for long is followed by another one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError

from services.routing.api import publishing
from services.routing.api.publishing import KafkaPublisher
from streaming.client import KafkaAddress
from streaming.stage import Output, TransientError
from tests.waiting import until


class Clock:
    now = 100.0


class Client:
    """Each call of it takes its whole time and brings nothing; or, where it `says` so, the end of a record's time."""

    says: bool

    def __init__(self, _: object) -> None:
        self.heard: list[Callable[..., None]] = []
        self.purged = False

    def purge(self, blocking: bool) -> None:
        self.purged = not blocking

    def produce(self, *_: Any, on_delivery: Callable[..., None], **__: Any) -> None:
        self.heard.append(on_delivery)

    def flush(self, seconds: float) -> None:
        Clock.now += seconds
        while self.says and self.heard:
            self.heard.pop()(KafkaError(KafkaError._MSG_TIMED_OUT), None)


@pytest.mark.parametrize("says", [True, False])
def test_a_client_that_fell_silent_is_followed_by_another_one(monkeypatch: pytest.MonkeyPatch, says: bool) -> None:
    monkeypatch.setattr(publishing, "Producer", Client)
    monkeypatch.setattr(publishing, "monotonic", lambda: Clock.now)
    monkeypatch.setattr(Client, "says", says, raising=False)
    publisher = KafkaPublisher(KafkaAddress.parse("127.0.0.1:9"), patience_seconds=10)
    first: Any = publisher._client.producer
    seen = []
    for pause in (0, 0, 1):
        Clock.now += pause
        with pytest.raises(TransientError):
            publisher.publish(Output("t", b"k", b"v"))
        seen.append((publisher._client.producer is first, first.purged))

    assert seen == [(True, False), (True, False), (False, True)]


class Clearing(Client):
    """Notes who drops it, at last."""

    says = True
    dropped_by: ClassVar[list[str]] = []

    def __del__(self) -> None:
        self.dropped_by.append(threading.current_thread().name)


def test_no_request_waits_for_the_end_of_a_client_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one that gave it up, and none that held it beside."""
    monkeypatch.setattr(publishing, "Producer", Clearing)
    monkeypatch.setattr(publishing, "monotonic", lambda: Clock.now)
    publisher = KafkaPublisher(KafkaAddress.parse("127.0.0.1:9"), patience_seconds=10)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with pytest.raises(TransientError):
            publisher.publish(Output("t", b"held", b"v"))

    produce = Client.produce

    def wait(client: Client, topic: str, value: bytes, key: bytes, **more: Any) -> None:
        produce(client, topic, value, key, **more)
        if key == b"held":
            entered.set()
            assert go_on.wait(60)

    monkeypatch.setattr(Client, "produce", wait)
    beside = threading.Thread(target=hold, name="a request beside")
    beside.start()
    assert entered.wait(60)
    for _ in range(3):
        Clock.now += 1
        with pytest.raises(TransientError):
            publisher.publish(Output("t", b"k", b"v"))
    still_held = list(Clearing.dropped_by)
    go_on.set()
    beside.join(60)
    until(lambda: bool(Clearing.dropped_by), 60, "the client to be dropped")

    assert still_held == []
    assert Clearing.dropped_by == ["a producer that ends"]
