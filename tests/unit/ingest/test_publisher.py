from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from services.ingest.publisher import KafkaPublisher, NotSafe, Outgoing, Overloaded


def nobody_listens() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def test_without_a_broker_nothing_counts_as_safe_and_the_deadline_holds() -> None:
    publisher = KafkaPublisher({"bootstrap.servers": nobody_listens()}, deadline=0.5)
    started = time.monotonic()

    with pytest.raises(NotSafe):
        await publisher.publish([Outgoing("t", None, b"1"), Outgoing("t", None, b"2")])

    assert time.monotonic() - started < 3
    assert "Kafka does not answer" in await publisher.unready()
    await publisher.close()


async def test_what_is_beyond_the_bound_is_turned_away_at_once() -> None:
    publisher = KafkaPublisher({"bootstrap.servers": nobody_listens()}, deadline=0.5, most=2)
    first = asyncio.create_task(publisher.publish([Outgoing("t", None, b"1"), Outgoing("t", None, b"2")]))
    await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await publisher.publish([Outgoing("t", None, b"3")])
    with pytest.raises(NotSafe):
        await first
    with pytest.raises(NotSafe):
        await publisher.publish([Outgoing("t", None, b"3")])

    await publisher.close()


async def test_nothing_is_safe_at_once() -> None:
    publisher = KafkaPublisher({"bootstrap.servers": nobody_listens()}, deadline=0.5)

    await publisher.publish([])

    await publisher.close()


class Client:
    """Takes records, and says of each that it is safe, or that its time is over where the client is `silent`."""

    def __init__(self, *, silent: bool) -> None:
        self.silent, self.waiting = silent, list[Callable[..., None]]()

    def produce(self, *_: Any, on_delivery: Callable[..., None], **__: Any) -> None:
        self.waiting.append(on_delivery)

    def poll(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))
        while self.waiting:
            self.waiting.pop()(KafkaError(KafkaError._MSG_TIMED_OUT) if self.silent else None, None)

    def purge(self, **_: Any) -> None: ...

    def flush(self, *_: Any) -> int:
        return 0


@pytest.mark.parametrize(("silent", "made"), [(0.1, 2), (60.0, 1)], ids=["for long", "for a moment"])
async def test_a_client_that_fell_silent_is_followed_by_another_one(
    monkeypatch: pytest.MonkeyPatch, silent: float, made: int
) -> None:
    clients: list[Client] = []

    def make(_: KafkaPublisher) -> Client:
        clients.append(Client(silent=not clients))
        return clients[-1]

    monkeypatch.setattr(KafkaPublisher, "_made", make)
    publisher = KafkaPublisher({}, deadline=1, silent=silent)
    deadline = time.monotonic() + 1
    refused = 0
    while time.monotonic() < deadline:
        try:
            await publisher.publish([Outgoing("t", None, b"1")])
            break
        except NotSafe:
            refused += 1
    await publisher.close()

    assert len(clients) == made
    assert refused > 0


async def test_a_client_that_delivers_again_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(silent=True)
    monkeypatch.setattr(KafkaPublisher, "_made", lambda _: client)
    publisher = KafkaPublisher({}, deadline=1, silent=0.1)
    with pytest.raises(NotSafe):
        await publisher.publish([Outgoing("t", None, b"1")])
    client.silent = False
    await publisher.publish([Outgoing("t", None, b"1")])

    publisher._silence.missed(time.monotonic() + 3600)
    assert not publisher._silence.too_long
    await publisher.close()
