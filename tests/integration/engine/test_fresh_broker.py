from __future__ import annotations

import pytest

from streaming.topics import PartitionLag, TopicSpec, apply, lag
from tests.kafka.node import Node

pytestmark = pytest.mark.real_kafka


def test_a_broker_that_just_came_up_is_waited_for(kafka_node: Node) -> None:
    """Its coordinators are not there yet: it says so, and it passes."""
    [change] = apply(kafka_node.bootstrap, [TopicSpec("fresh", 1)])

    assert change.kind == "created"
    assert lag(kafka_node.bootstrap, "nobody", ["fresh"]) == [PartitionLag("fresh", 0, None, 0, 0)]
