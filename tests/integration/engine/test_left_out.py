"""A member whose coordinator does not hear it any more, while it hears all others, begins anew by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from confluent_kafka import Consumer, ConsumerGroupState
from confluent_kafka.admin import AdminClient

from streaming.faust.left_out import CERTAIN_SECONDS, OUTSIDE_SECONDS
from tests.integration.engine.between import HEADER, Between, standing_between
from tests.integration.engine.place import WAIT, Place
from tests.kafka import jars
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

GROUP_REQUESTS = range(8, 15)
"""OffsetCommit, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat, LeaveGroup, SyncGroup."""


class Deaf(Between):
    """Keeps back what one client asks of its group's coordinator, on every connection or on those that it had then."""

    client = b""

    def __init__(self, port: int, upstream: int) -> None:
        self.connections: set[int] = set()
        self.hears_new_ones = False
        super().__init__(port, upstream)

    def ask(self, frame: bytearray) -> bool:
        _, key, _, _ = HEADER.unpack_from(frame)
        if not self.client or key not in GROUP_REQUESTS or named(frame) != self.client:
            return True
        connection = threading.get_ident()
        if not self.hears_new_ones:
            self.connections.add(connection)
        return connection not in self.connections


def named(frame: bytearray) -> bytes:
    """The client's id in a request."""
    length = int.from_bytes(frame[HEADER.size : HEADER.size + 2])
    return bytes(frame[HEADER.size + 2 : HEADER.size + 2 + length])


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[tuple[Place, Deaf]]:
    if reason := jars.obstacle():
        pytest.skip(f"needs a Kafka node of its own: {reason}")
    with standing_between(tmp_path / "node", Deaf) as (bootstrap, deaf):
        place = Place(bootstrap, "t.", tmp_path / "workers")
        place.make_topics()
        yield place, deaf
        place.close()


def test_a_member_that_the_coordinator_does_not_hear_any_more_joins_anew(behind: tuple[Place, Deaf]) -> None:
    place, deaf = behind
    worker = place.start("first").ready()
    place.send(200)
    place.settled()

    deaf.client = b"t.counting-first"
    place.send(200)
    until(lambda: "has lost the group's coordinator" in worker.said(), 2 * WAIT, "the worker to find that out")
    deaf.hears_new_ones = True  # the old consumer is not heard as it is closed, either

    place.settled()
    assert worker.process.poll() is None
    place.audit()


def test_a_member_that_waits_for_a_slow_one_is_not_taken_for_left_out(real_place: Place) -> None:
    """The slow one is a consumer that does not poll: nobody joins before it has heard of that."""
    place, group = real_place, real_place.prefix + "counting"
    slow = Consumer(
        {
            "bootstrap.servers": place.bootstrap,
            "group.id": group,
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 30_000,
            "max.poll.interval.ms": 120_000,
            "enable.auto.commit": False,
        }
    )
    given: list[int] = []
    slow.subscribe([place.prefix + "events"], on_assign=lambda _, partitions: given.append(len(partitions)))
    until(lambda: slow.poll(0.1) or given, WAIT, "the slow one to be a member")
    worker = place.start("first")
    admin = AdminClient({"bootstrap.servers": place.bootstrap})
    until(lambda: state(admin, group) == ConsumerGroupState.PREPARING_REBALANCING, WAIT, "the worker to ask to join")
    began = monotonic()
    until(lambda: monotonic() - began > OUTSIDE_SECONDS + CERTAIN_SECONDS + 10, 2 * WAIT, "it to be looked at")
    assert state(admin, group) == ConsumerGroupState.PREPARING_REBALANCING
    slow.close()

    worker.ready()
    assert "but not this member" not in worker.said()
    place.send(200)
    place.settled()
    place.audit()


def state(admin: AdminClient, group: str) -> ConsumerGroupState:
    found: ConsumerGroupState = admin.describe_consumer_groups([group])[group].result().state
    return found
