from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.routing.ledger import Ledger, upgrade


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with fresh tables."""
    upgrade(database_url)
    ledger = Ledger.at(database_url)
    yield ledger
    ledger.close()
