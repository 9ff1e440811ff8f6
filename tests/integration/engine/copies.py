"""What brokers say of a cluster's topics and of who looks after what, by their public interfaces."""

from __future__ import annotations

from collections import Counter

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient

from streaming.admin import ask
from tests.integration.engine.place import Place
from tests.waiting import until

OWN = ("__consumer_offsets", "__transaction_state")
"""Topics of the brokers' own."""


def copies(place: Place) -> dict[str, set[tuple[int, int]]]:
    """How many copies the partitions of each topic have, and how many of these are up to date."""
    topics = AdminClient({"bootstrap.servers": place.bootstrap}).list_topics(timeout=30).topics
    return {
        name: {(len(part.replicas), len(part.isrs)) for part in topic.partitions.values()}
        for name, topic in topics.items()
        if name.startswith(place.prefix) or name in OWN
    }


def leaders(place: Place) -> Counter[int]:
    """How many partitions of the place each broker leads; nothing where the one that was asked does not say."""
    try:
        topics = place.producer.list_topics(timeout=5).topics
    except KafkaException:
        return Counter()
    return Counter(
        part.leader
        for name, topic in topics.items()
        if name.startswith(place.prefix)
        for part in topic.partitions.values()
    )


def leads_most(place: Place) -> int:
    """Which broker leads the most partitions of the place."""
    return until(lambda: leaders(place), 30, "a broker to say who leads").most_common(1)[0][0]


def coordinates_group(place: Place) -> int:
    """Which broker looks after the group of the place's stage."""
    group = place.prefix + "counting"
    admin = AdminClient({"bootstrap.servers": place.bootstrap})  # it must live until it has the answer
    return int(admin.describe_consumer_groups([group])[group].result(30).coordinator.id)


def coordinates_transactions(place: Place) -> int:
    """Which broker looks after the transactions of the place's first worker that still runs."""
    admin = KafkaAdminClient(bootstrap_servers=place.bootstrap)
    try:
        of_broker = admin.list_transactions()
    finally:
        admin.close()
    name = f"{place.prefix}counting-{place.workers[0].instance}"
    [found] = [number for number, listed in of_broker.items() if name in {one.transactional_id for one in listed}]
    return int(found)


def committed(place: Place, bootstrap: str = "") -> int:
    """How many records the place's group has behind it, by the word of any broker or of one alone."""
    group = place.prefix + "counting"
    offsets = ask(bootstrap or place.bootstrap, lambda admin: admin.list_group_offsets({group: None})[group])
    return sum(max(0, at.offset) for at in offsets.values())
