"""A member whose coordinator does not hear it any more, while it hears all others, begins anew by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.engine.between import HEADER, Between, standing_between
from tests.integration.engine.place import WAIT, Place
from tests.kafka import jars
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

GROUP_REQUESTS = range(8, 15)
"""OffsetCommit, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat, LeaveGroup, SyncGroup."""


class Deaf(Between):
    """Once told so, keeps back whatever one client asks of its group's coordinator."""

    client = b""

    def ask(self, frame: bytearray) -> bool:
        _, key, _, _ = HEADER.unpack_from(frame)
        length = int.from_bytes(frame[HEADER.size : HEADER.size + 2])
        name = frame[HEADER.size + 2 : HEADER.size + 2 + length]
        return not (self.client and key in GROUP_REQUESTS and name == self.client)


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
    deaf.client = b""

    place.settled()
    assert worker.process.poll() is None
    place.audit()
    assert worker.end() == 0
