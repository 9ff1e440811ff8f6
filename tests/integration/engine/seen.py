"""What a test sees of the records that a runner published."""

from __future__ import annotations

from collections import defaultdict

from streaming.stage import Message
from tests.integration.engine.drivers import Driver


def by_key(records: list[Message]) -> dict[bytes | None, list[bytes | None]]:
    """Values of each key, in the order of its partition."""
    found: dict[bytes | None, list[bytes | None]] = defaultdict(list)
    for record in records:
        found[record.key()].append(record.value())
    return dict(found)


def values(driver: Driver, topic: str) -> dict[bytes | None, list[bytes | None]]:
    return by_key(list(driver.records(driver.name(topic))))


def headers(record: Message) -> dict[str, bytes | None]:
    return dict(record.headers() or ())


def numbers(upto: int) -> list[bytes]:
    return [str(n).encode() for n in range(1, upto + 1)]
