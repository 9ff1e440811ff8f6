"""The runners that the contract is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.engine.drivers import Driver, MemoryDriver
from tests.integration.engine.kafka_driver import KafkaDriver
from tests.integration.engine.place import Place


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Driver]:
    """A runner that was not started. What needs a broker is asked for only where it is needed."""
    if request.param == "memory":
        yield MemoryDriver()
        return
    on_kafka = KafkaDriver(request.getfixturevalue("kafka"), request.getfixturevalue("topic_prefix"), tmp_path / "app")
    try:
        yield on_kafka
    finally:
        on_kafka.stop()


@pytest.fixture
def place(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    """A place on any broker, without topics yet."""
    found = Place(kafka, topic_prefix, tmp_path / "workers")
    yield found
    found.close()


@pytest.fixture
def real_place(real_kafka: str, place: Place) -> Place:
    """On the embedded broker a member that was killed is not expired, so its successor would wait for ever."""
    assert place.bootstrap == real_kafka
    place.make_topics()
    return place


@pytest.fixture
def embedded_place(embedded_kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    """A place on the embedded broker, with topics."""
    found = Place(embedded_kafka, topic_prefix, tmp_path / "workers")
    found.make_topics()
    yield found
    found.close()
