"""A node that soon forgets the transactional ids that nobody uses, as brokers do after a week."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from tests.kafka import jars
from tests.kafka.node import Node

FORGETFUL = {
    "transactional.id.expiration.ms": "1000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
    "producer.id.expiration.ms": "1000",
    "producer.id.expiration.check.interval.ms": "500",
}


@contextmanager
def forgetful(home: Path) -> Iterator[Node]:
    """It runs in the block. Skips the test where this machine cannot run Kafka itself."""
    if reason := jars.obstacle():
        pytest.skip(f"needs a Kafka node of its own: {reason}")
    node = Node(home, settings=FORGETFUL)
    try:
        node.start()
        yield node
    finally:
        node.kill()


def known_ids(bootstrap: str) -> set[str]:
    """The transactional ids that the broker has not forgotten."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return {one.transactional_id for of_one in admin.list_transactions().values() for one in of_one}
    finally:
        admin.close()
