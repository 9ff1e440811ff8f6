"""The three stages, each with its topics and the tables that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from baton import provisioning
from tests.integration.shipped.stages import Shipped
from tests.integration.up.installation import SOURCES, Servers


@pytest.fixture
def shipped(real_kafka: str, topic_prefix: str, database_url: str, tmp_path: Path) -> Iterator[dict[str, Shipped]]:
    """By name, in the order of the path; none of them started."""
    with ExitStack() as stack:
        found = {}
        for name in SOURCES:
            servers = Servers(real_kafka, database_url, f"{topic_prefix}{name}.")
            found[name] = Shipped(name, servers, tmp_path / name)
            stack.callback(found[name].close)
        provisioning.upgrade_database(found["routing"].settings)
        provisioning.apply_roster(found["routing"].settings)
        for one in found.values():
            one.make_topics()
        yield found
