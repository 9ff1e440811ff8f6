"""A broker that forgets what it acknowledged, as after a crash: the embedded one does where a topic is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.brokers import embedded_broker
from tests.kafka.jars import Unavailable
from tests.waiting import until


@contextmanager
def broker_or_skip(home: Path) -> Iterator[str]:
    """Bootstrap servers of an embedded broker."""
    try:
        with embedded_broker(home, "") as broker:
            make_topic(broker.bootstrap, "awake")
            yield broker.bootstrap
    except Unavailable as why:
        pytest.skip(str(why))


def make_topic(kafka: str, topic: str) -> None:
    """With four partitions."""
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 4)])[topic].result(20)


def forget(kafka: str, topic: str) -> None:
    """All that was in it, and whose."""
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics([topic])[topic].result(20)
    until(lambda: topic not in admin.list_topics(timeout=5).topics, 20, f"the end of {topic}")
    make_topic(kafka, topic)
