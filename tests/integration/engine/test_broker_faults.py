"""What a broker's crash, and a record that it does not take, cost a worker that lives on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.engine.place import WAIT, Place
from tests.kafka.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]


def test_a_worker_that_was_idle_when_the_broker_crashed_goes_on_by_itself(
    kafka_node: Node, topic_prefix: str, tmp_path: Path
) -> None:
    place = Place(kafka_node.bootstrap, topic_prefix, tmp_path / "workers")
    try:
        place.make_topics()
        workers = [place.start(name).ready() for name in ("one", "two")]
        place.send(400)
        place.settled()
        kafka_node.kill()
        for worker in workers:
            until(lambda worker=worker: "session timed out" in worker.said(), WAIT, "it to lose its membership")  # type: ignore[misc]
        kafka_node.start()
        place.send(400)
        place.settled()

        assert [worker.process.poll() for worker in workers] == [None, None]
        assert [worker.end() for worker in workers] == [0, 0]
        place.audit()
    finally:
        place.close()


def test_a_record_too_large_is_found_without_waiting_for_what_is_behind_it(
    real_kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    place = Place(real_kafka, topic_prefix, tmp_path / "workers")
    place.make_topics()
    for number in range(40):
        value = b"grow" if number == 20 else b"%d" % number
        place.producer.produce(place.prefix + "events", value, b"k0", 0)
    place.producer.flush(WAIT)
    place.sent = 40
    worker = place.start().ready()
    place.settled()

    assert worker.end() == 0
    assert len(place.records("counting.failed")) == 1
    assert len(place.records("counts")) == 39
    assert "Failed to flush" not in worker.said()
    assert "round refused" not in worker.said()
