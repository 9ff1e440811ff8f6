"""The runners that the contract is tested on."""

from __future__ import annotations

import pytest

from tests.integration.engine.drivers import Driver, MemoryDriver


@pytest.fixture(params=["memory"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return MemoryDriver()
