"""A transaction that somebody left open: how long readers and successors wait, and what a stage says meanwhile."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import pytest
from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer
from confluent_kafka.admin import AdminClient, OffsetSpec

from streaming.faust import transaction
from streaming.faust.app import make_app
from streaming.faust.settings import slot
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.hanging import leave_hanging
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

NEVER = "600"
"""A transaction's timeout, in seconds, that ends nothing within a test."""


def ends(place: Place, isolation: IsolationLevel) -> list[int]:
    """Where the outputs end, for readers of that isolation."""
    admin = AdminClient({"bootstrap.servers": place.bootstrap})
    end = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it is left without types
    asked = {slot(place.prefix + "counts", n): end for n in range(PARTITIONS)}
    return [answer.result().offset for answer in admin.list_offsets(asked, isolation_level=isolation).values()]


def readers_are_held_up(place: Place) -> bool:
    return ends(place, IsolationLevel.READ_COMMITTED) != ends(place, IsolationLevel.READ_UNCOMMITTED)


def held_up(place: Place, since: float) -> float:
    """Waits until readers of the outputs get on; the seconds since then."""
    until(lambda: not readers_are_held_up(place), WAIT, "readers to get on", every=0.1)
    return monotonic() - since


def dies_with_a_transaction_open(place: Place, timeout: str) -> float:
    """A worker dies in its first round; when."""
    worker = place.start("dead", "--fate", "die", "--transaction-timeout", timeout)
    place.send(400)
    assert worker.process.wait(WAIT) == -9
    assert "die with a transaction open" in worker.said()
    assert readers_are_held_up(place)
    return monotonic()


def test_a_worker_started_again_frees_readers_at_once(real_place: Place) -> None:
    died = dies_with_a_transaction_open(real_place, NEVER)
    real_place.start("dead")
    seconds = held_up(real_place, died)
    real_place.settled()
    print(f"readers waited {seconds:.1f} s, and its successor of the same name until {monotonic() - died:.1f} s")

    assert seconds < WAIT / 2
    real_place.audit()


def test_a_successor_of_another_name_frees_readers_once_the_group_has_noticed(real_place: Place) -> None:
    died = dies_with_a_transaction_open(real_place, NEVER)
    real_place.start("other")
    seconds = held_up(real_place, died)
    real_place.settled()
    print(f"readers waited {seconds:.1f} s, and a successor of another name until {monotonic() - died:.1f} s")

    assert seconds < WAIT / 2
    assert "aborting what" in real_place.workers[-1].said()
    real_place.audit()


def test_where_nobody_succeeds_the_broker_frees_readers_after_the_transactions_timeout(real_place: Place) -> None:
    died = dies_with_a_transaction_open(real_place, "10")
    seconds = held_up(real_place, died)
    print(f"readers waited {seconds:.1f} s for the broker")

    assert seconds < WAIT / 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no transaction may outlast, 10 s and what a broker takes to look, becomes 2 s."""
    monkeypatch.setattr(transaction, "BROKER_LOOKS_SECONDS", -8.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("whose", ["first", "stranger"])
def test_a_partition_goes_on_by_its_mark_where_the_broker_has_forgotten_the_end_of_a_transaction(
    real_place: Place, caplog: pytest.LogCaptureFixture, whose: str
) -> None:
    place = real_place
    worked_on(place)
    leave_hanging(place, f"{place.prefix}counting-{whose}", {0: 7})
    assert not stable(place)

    second = Running(make_app(counting(place), settings(place, "second")))
    try:
        place.send(100)
        place.settled()
    finally:
        second.stop()

    assert "stay open: on by the changelog's marks" in caplog.text
    assert stable(place) is (whose == "first")  # what hangs of a former owner is ended, a stranger's is not touched
    place.audit()


@pytest.mark.usefixtures("impatient")
def test_what_the_broker_had_forgotten_of_an_aborted_round_counts_for_no_other_partition_either(
    real_place: Place,
) -> None:
    place = real_place
    worked_on(place)
    leave_hanging(place, f"{place.prefix}counting-first", {0: 150, 3: 150})  # further than its marks: it was aborted
    told = {
        "second": settings(place, "second"),
        "third": replace(settings(place, "third"), transaction_timeout_seconds=20),
    }
    workers = [Running(make_app(counting(place), one)) for one in told.values()]  # the third is later to see what hangs
    try:
        place.send(400)
        place.settled()
    finally:
        for worker in workers:
            worker.stop()
    place.audit()


def worked_on(place: Place) -> None:
    """By `first`: a hundred records of each partition."""
    place.start("first").ready()
    place.send(400)
    place.settled()
    assert place.workers[0].end() == 0


def stable(place: Place) -> bool:
    """Whether the group has a committed offset of partition 0 with nothing open on it."""
    reader = Consumer({"bootstrap.servers": place.bootstrap, "group.id": place.prefix + "counting"})
    try:
        [answer] = reader.committed([slot(place.prefix + "events", 0)], 2.0)
    except KafkaException:
        return False
    finally:
        reader.close()
    return answer.error is None


@pytest.mark.usefixtures("impatient")
def test_a_stage_says_that_something_is_open_for_longer_than_it_may_be(real_place: Place) -> None:
    server = {"bootstrap.servers": real_place.bootstrap}
    nobody = Consumer({**server, "group.id": real_place.prefix + "counting"}).consumer_group_metadata()
    stranger = Producer({**server, "transactional.id": real_place.prefix + "stranger"})
    stranger.init_transactions(WAIT)
    stranger.begin_transaction()
    stranger.send_offsets_to_transaction([slot(real_place.prefix + "events", 0, 0)], nobody, WAIT)
    running = Running(make_app(counting(real_place), settings(real_place, "one")))
    readiness = running.app.readiness
    try:
        told = until(lambda: "one hangs" in str(readiness.as_json()) and str(readiness.as_json()), WAIT, "it to say so")
        stranger.abort_transaction(WAIT)
        until(lambda: readiness.ready, WAIT, "the stage to go on")
    finally:
        running.stop()

    assert "partitions [0, 1, 2, 3]" in told
    assert "docs/operating.md" in told
