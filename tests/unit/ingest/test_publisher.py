from __future__ import annotations

import asyncio
import socket
import time

import pytest

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
