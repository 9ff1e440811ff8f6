"""A worker as a process: how it starts, ends, dies, and what it leaves to its successor."""

from __future__ import annotations

import signal

import pytest

from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = pytest.mark.kafka


def test_a_worker_that_is_told_to_stop_settles_its_round_and_ends_well(place: Place) -> None:
    place.make_topics()
    place.send(3_000)
    worker = place.start().ready()
    until(lambda: place.done() > 0, WAIT, "a first round")

    assert worker.end(signal.SIGTERM) == 0

    second = place.start().ready()
    place.settled()

    assert second.end(signal.SIGINT) == 0
    place.audit()


def test_a_worker_without_its_topics_says_which_and_does_not_end_well(place: Place) -> None:
    place.make_topics("counting.state")
    worker = place.start()

    assert worker.process.wait(WAIT) == 1
    assert f"there is no topic {place.prefix}counting.state" in worker.said()


@pytest.mark.real_kafka
def test_what_a_killed_worker_had_in_hand_is_done_once_by_its_successor(real_place: Place) -> None:
    real_place.send(4_000)
    for instance in ("one", "two"):
        worker = real_place.start(instance, "--max-records", "5").ready()  # so that it is not done before it is killed
        before = real_place.done()
        until(lambda before=before: real_place.done() > before, WAIT, "some work")  # type: ignore[misc]
        worker.end(signal.SIGKILL)

    assert real_place.done() < real_place.sent, "nothing was left to do when the worker was killed"

    worker = real_place.start("three").ready()
    real_place.settled()

    assert worker.end() == 0
    real_place.audit()


@pytest.mark.real_kafka
def test_workers_that_come_and_go_lose_and_double_nothing(real_place: Place) -> None:
    real_place.send(2_000)
    first = real_place.start("one").ready()
    second = real_place.start("two").ready()
    real_place.send(2_000)

    assert first.end() == 0

    third = real_place.start("three").ready()
    real_place.send(1_000)
    real_place.settled()

    assert (second.end(), third.end()) == (0, 0)
    real_place.audit()


@pytest.mark.real_kafka
def test_a_frozen_worker_that_wakes_up_changes_nothing_and_joins_again(real_place: Place) -> None:
    frozen = real_place.start("frozen").ready()
    other = real_place.start("other").ready()
    real_place.send(1_000)
    frozen.process.send_signal(signal.SIGSTOP)
    real_place.send(1_000)
    real_place.settled()
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: frozen.said().count("assigned partitions") > 1, WAIT, "the frozen worker to join again")
    real_place.send(500)
    real_place.settled()

    assert (frozen.end(), other.end()) == (0, 0)
    real_place.audit()


def test_a_record_that_leads_to_one_too_large_fails_alone(place: Place) -> None:
    place.make_topics()
    place.producer.produce(place.prefix + "events", b"0", b"k0", 0)
    place.producer.produce(place.prefix + "events", b"grow", b"k0", 0)
    place.producer.produce(place.prefix + "events", b"2", b"k0", 0)
    place.producer.flush(WAIT)
    place.sent = 3
    worker = place.start().ready()
    place.settled()
    [failed] = place.records("counting.failed")
    counts = [record.value() for record in place.records("counts")]

    assert worker.end() == 0
    assert (failed.key(), failed.value()) == (b"k0", b"grow")
    assert dict(failed.headers() or ())["baton_reason"] == b"too_large"
    assert counts == [b"1", b"2"]
