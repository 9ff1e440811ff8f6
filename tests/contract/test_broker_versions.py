"""Brokers that skip the end of a transaction after a crash are not what we start where topics have a single copy.

docs/decisions/hanging-offsets.md has the reason (KAFKA-20734).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.brokers import IMAGE
from tests.kafka.jars import POM

ROOT = Path(__file__).parents[2]
SKIP_MARKERS = {"4.3.0", "4.3.1", "4.4.0"}
SINGLE_COPY = {
    "deploy/compose": (ROOT / "deploy/compose/docker-compose.yml").read_text(),
    "tests/kafka": POM.read_text(),
    "tests/brokers": IMAGE,
}


@pytest.mark.parametrize("where", SINGLE_COPY)
def test_a_lone_broker_is_of_a_version_that_ends_its_transactions(where: str) -> None:
    versions = set(re.findall(r"apache/kafka:([\d.]+)|<version>(4[\d.]+)</version>", SINGLE_COPY[where]))
    found = {version for pair in versions for version in pair if version}

    assert found
    assert not found & SKIP_MARKERS
