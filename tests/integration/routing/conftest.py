from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.routing.ledger import Ledger, upgrade
from services.routing.relay import Relay
from tests.integration.routing.relays import FakeKafka


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with fresh tables."""
    upgrade(database_url)
    ledger = Ledger.at(database_url)
    yield ledger
    ledger.close()


@pytest.fixture
def fake_kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def relay(ledger: Ledger, fake_kafka: FakeKafka) -> Iterator[Relay]:
    relay = Relay(ledger, "relay", fake_kafka.publisher)
    yield relay
    relay.stop()
