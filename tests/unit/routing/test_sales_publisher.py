"""A client of `sales.outcomes` that delivers nothing for long is followed by another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from services.routing.api import publishing
from services.routing.api.publishing import KafkaPublisher
from streaming.client import KafkaAddress
from streaming.stage import Output, TransientError


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
    first: Any = publisher._producer
    seen = []
    for pause in (0, 0, 1):
        Clock.now += pause
        with pytest.raises(TransientError):
            publisher.publish(Output("t", b"k", b"v"))
        seen.append((publisher._producer is first, first.purged))

    assert seen == [(True, False), (True, False), (False, True)]
