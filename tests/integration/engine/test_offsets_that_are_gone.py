"""A group without offsets on topics that it has worked on: nothing is done again."""

from __future__ import annotations

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]


KINDS = pytest.mark.parametrize("kind", [(), ("--no-state",)], ids=["with state", "without state"])


@KINDS
def test_a_stage_does_not_begin_anew_because_a_broker_knows_no_offsets(
    real_place: Place, kind: tuple[str, ...]
) -> None:
    place, group = real_place, real_place.prefix + "counting"
    admin = AdminClient({"bootstrap.servers": place.bootstrap})
    place.start("first", *kind).ready()
    place.send(400)
    place.settled()
    assert place.workers[0].end() == 0
    until(lambda: deleted(admin, group), WAIT, "the group to be gone")

    second = place.start("second", *kind)
    until(lambda: "nothing is committed of partitions" in second.said(), WAIT, "the worker to say so")
    assert "ready" not in second.said().split()
    assert place.done() == 0  # it has not claimed what it does not understand
    assert second.end() == 0
    place.audit()

    put_back = [TopicPartition(place.prefix + "events", number, 400 // PARTITIONS) for number in range(PARTITIONS)]
    until(lambda: altered(admin, ConsumerGroupTopicPartitions(group, put_back)), WAIT, "the offsets to be back")
    place.start("third", *kind).ready()
    place.send(100)
    place.settled()
    place.audit()


@KINDS
@pytest.mark.parametrize("transaction", ["1", "2"], ids=["claims", "marks"])
def test_a_worker_that_dies_as_it_takes_its_first_partitions_leaves_them_to_others(
    real_place: Place, kind: tuple[str, ...], transaction: str
) -> None:
    place = real_place
    place.send(200)
    dying = place.start("dying", "--fate", "die", "--after", transaction, *kind)
    until(lambda: dying.process.poll() is not None, WAIT, "the worker to die")
    assert "die with a transaction open" in dying.said()
    assert place.done() == 0

    place.start("other", *kind).ready()
    place.settled()
    place.audit()


def deleted(admin: AdminClient, group: str) -> bool:
    return _done(admin.delete_consumer_groups([group])[group])


def altered(admin: AdminClient, offsets: ConsumerGroupTopicPartitions) -> bool:
    return _done(next(iter(admin.alter_consumer_group_offsets([offsets]).values())))


def _done(answer: object) -> bool:
    try:
        answer.result()  # type: ignore[attr-defined]
    except KafkaException:  # somebody is still a member
        return False
    return True
