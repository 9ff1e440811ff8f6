"""Workers on three brokers with three copies of everything, one or two of which fall in the middle of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

from baton.provisioning import apply_topics
from baton.settings import Settings
from streaming.topics import TopicSpec, apply
from tests.integration.engine.copies import (
    OWN,
    committed,
    coordinates_group,
    coordinates_transactions,
    copies,
    leaders,
    leads_most,
)
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.place import WAIT, Place
from tests.kafka import jars
from tests.kafka.cluster import NODES, Cluster
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(600)]

LONG = 3 * WAIT
"""A broker that fell is missed after nine seconds; then leaders change, the group forms anew, transactions end."""
PAUSED_SECONDS, OUTAGE_SECONDS = 12.0, 30.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if reason := jars.obstacle():
        pytest.skip(f"needs Kafka nodes to harm: {reason}")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(nodes: Cluster) -> Cluster:
    """All three of them, whatever a former test has left."""
    for node in nodes.nodes.values():
        node.resume()
    nodes.start()
    return nodes


@pytest.fixture
def place(cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    """A place with two workers, who take their time, and with everything in three places."""
    found = Place(cluster.bootstrap, topic_prefix, tmp_path / "workers")
    try:
        found.make_topics()
        for name in ("one", "two"):
            found.start(name, "--max-records", "5")
        for worker in found.workers:
            worker.ready()
        found.send(100)
        found.settled()
        whole(found)
        yield found
    finally:
        found.close()


def whole(place: Place) -> None:
    """Come back once three brokers have everything, the brokers' own topics too."""
    until(lambda: set().union(*copies(place).values()) == {(3, 3)}, LONG, "all copies to be up to date", every=0.5)
    assert set(OWN) < copies(place).keys()


def at_work(place: Place, records: int = 1_000) -> None:
    """Come back in the middle of it."""
    before = place.sent
    place.send(records)
    until(lambda: committed(place) > before, WAIT, "a first round")


def done_since(place: Place, at: float) -> int:
    """How many outputs were made after that time (seconds since 1970)."""
    return sum(record.timestamp()[1] > at * 1000 for record in place.records("counts"))


def settled(place: Place) -> int:
    """Come back once all is done, and right: nothing lost, doubled, out of order or blamed.

    Gives how many times a call of librdkafka hung for good: a supervisor starts such a worker again.
    """
    hung = 0

    def done() -> bool:
        nonlocal hung
        hung += place.keep_up()
        return committed(place) == place.sent

    until(done, LONG, f"{place.sent} records to be settled")
    place.audit()
    assert place.records("counting.failed") == []
    return hung


def test_any_broker_may_be_killed_and_two_carry_on(cluster: Cluster, place: Place) -> None:
    struck = []
    roles: list[Callable[[Place], int]] = [leads_most, coordinates_group, coordinates_transactions]
    for role in roles:
        at_work(place)
        number = role(place)
        cluster[number].kill()
        killed = time()
        hung = settled(place)
        seconds = time() - killed

        assert number not in cluster.running()
        assert done_since(place, killed) > 0, "nothing was left to do when the broker fell"
        struck.append(number)
        print(f"{role.__name__}: {number} fell, all was settled after {seconds:.1f} s, {hung} workers started again")
        cluster.start()
        whole(place)
    assert len(set(struck)) > 1, f"only one broker was ever killed: {struck}"


def test_a_broker_that_hangs_is_left_behind_and_changes_nothing_when_it_wakes(cluster: Cluster, place: Place) -> None:
    at_work(place)
    number = leads_most(place)
    cluster[number].pause()
    paused = time()
    others_lead = lambda: (now := leaders(place)) and number not in now and time() - paused > PAUSED_SECONDS  # noqa: E731
    until(others_lead, LONG, "the others to lead")
    assert [place.done() > 0 for _ in range(3)] == [True] * 3  # lag is told, whichever of the brokers is asked first
    place.send(500)  # so that it wakes in the middle of work, too
    cluster[number].resume()
    woken = time()
    hung = settled(place)
    print(f"{number} slept for {woken - paused:.1f} s, all was settled {time() - woken:.1f} s later, {hung} hung")

    assert done_since(place, woken) > 0, "nothing was left to do when the broker woke up"
    whole(place)


def test_where_two_of_three_are_down_nothing_is_committed_until_they_are_back(cluster: Cluster, place: Place) -> None:
    at_work(place)
    left = coordinates_group(place)  # it still knows what is committed
    for number in set(NODES) - {left}:
        cluster[number].kill()
    fell = time()
    before = committed(place, cluster[left].bootstrap)
    assert before < place.sent, "nothing was left to do when the brokers fell"
    assert stands_still(place, cluster[left].bootstrap) == before
    cluster.start()
    back = time()
    hung = settled(place)
    print(f"two were away for {back - fell:.1f} s, all was settled {time() - back:.1f} s later, {hung} hung")
    whole(place)


def stands_still(place: Place, asked: str = "") -> int:
    """How far a group is that does not get on for a while, though each of the workers says that something is wrong."""
    at, since, warned = -1, 0.0, [0, 0]

    def stands() -> bool:
        nonlocal at, since, warned
        place.keep_up()
        now = committed(place, asked)
        if now != at:
            at, since, warned = now, time(), warnings(place)
        return time() - since > OUTAGE_SECONDS and all(n > was for n, was in zip(warnings(place), warned, strict=True))

    until(stands, LONG, "nothing to be committed", every=1.0)
    return at


def warnings(place: Place) -> list[int]:
    """How many warnings each of the workers has written, in all its lives."""
    logs = {worker.instance: place.home.glob(f"{worker.instance}-*.log") for worker in place.workers}
    return [sum(log.read_text(errors="replace").count(" WARNING ") for log in of_one) for of_one in logs.values()]


def test_where_a_topic_has_too_few_copies_left_no_record_is_blamed(cluster: Cluster, place: Place) -> None:
    """The brokers say so at once here, for they are enough to know that a third one is away."""
    apply(place.bootstrap, [TopicSpec(place.prefix + "counts", PARTITIONS, {"min.insync.replicas": "3"})])
    at_work(place)
    number = leads_most(place)
    cluster[number].kill()
    fell = time()
    until(lambda: copies(place)[place.prefix + "counts"] == {(3, 2)}, LONG, "a copy to be missed")
    assert stands_still(place) < place.sent
    cluster.start()
    back = time()
    hung = settled(place)
    print(f"one was away for {back - fell:.1f} s, all was settled {time() - back:.1f} s later, {hung} hung")
    whole(place)


@pytest.mark.parametrize(("asked", "least"), [({"replication": 3}, "2"), ({"replication": 2, "min_insync": 1}, "1")])
def test_topics_apply_makes_as_many_copies_as_it_is_told(
    cluster: Cluster, topic_prefix: str, asked: dict[str, Any], least: str
) -> None:
    settings = Settings(kafka=cluster.bootstrap, topic_prefix=topic_prefix, partitions=1, **asked)
    made = {change.topic for change in apply_topics(settings, ["general"])}
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    topics = admin.list_topics(timeout=30).topics
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in made]
    told = [answer.result(30)["min.insync.replicas"] for answer in admin.describe_configs(resources).values()]

    assert {len(topics[name].partitions[0].replicas) for name in made} == {asked["replication"]}
    assert {(of_one.value, of_one.is_default) for of_one in told} == {(least, False)}
    assert apply_topics(settings, ["general"]) == []
