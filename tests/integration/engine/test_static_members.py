"""A member with a name that stays, whose place another one takes."""

from __future__ import annotations

import dataclasses

import pytest
from confluent_kafka import Consumer

from streaming.faust.app import make_app
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_a_worker_whose_static_name_another_one_took_ends_with_the_reason(place: Place) -> None:
    """It would stand there, and never join again."""
    place.make_topics()
    told = dataclasses.replace(settings(place, "one"), static_instance=True)
    running = Running(make_app(counting(place), told))
    other = Consumer(
        {
            "bootstrap.servers": place.bootstrap,
            "group.id": told.group,
            "group.instance.id": "one",
            "session.timeout.ms": 6000,
        }
    )
    try:
        place.send(40)
        place.settled()
        other.subscribe([place.prefix + "events"])
        until(lambda: other.poll(0.1) or running.app.crash_reason, WAIT, "the worker to end")
        until(lambda: other.poll(0.1) is None and running.app.crash_reason, WAIT, "the worker to end")

        assert "the group refuses this worker" in str(running.app.crash_reason)
    finally:
        other.close()
        running.stop()
