"""Traps of librdkafka and Kafka on which a stage could lose or double work; each is sprung on purpose."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import TopicPartition

from streaming.faust.app import make_app
from streaming.faust.owners import FormerOwners
from streaming.faust.producer import Transaction
from tests.integration.engine.held import LAST, Held
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.kafka.forgetful import forgetful, known_ids
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]


@pytest.fixture
def held(real_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Held]:
    """It has records in hand that another worker has settled since it was put out of the group."""
    monkeypatch.setattr(FormerOwners, "abort", lambda *_: None)  # its successor would fence it by that, too
    caplog.set_level(logging.INFO, "streaming")
    held = Held(real_place, monkeypatch)
    other: Running | None = None
    try:
        real_place.send(100)
        real_place.settled()
        held.told.set()
        real_place.send(400)
        assert held.holds.wait(WAIT)
        held.put_out()
        other = Running(make_app(counting(real_place), settings(real_place, "other")))
        real_place.settled()
        yield held
    finally:
        for running in (held, other):
            if running is not None:
                running.stop()


def goes_on(held: Held, caplog: pytest.LogCaptureFixture) -> None:
    """It ends its round, joins again, and all there is gets settled."""
    joined = caplog.text.count("assigned partitions")
    held.go_on.set()
    until(lambda: caplog.text.count("assigned partitions") >= joined + 2, WAIT, "it to join again", every=0.2)
    held.place.send(200)
    held.place.settled()


def test_the_round_of_a_worker_that_has_become_nobody_is_refused_by_the_broker(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    """For it comes with the metadata of the membership in which it was begun."""
    goes_on(held, caplog)

    assert re.search("round refused: .*UNKNOWN_MEMBER_ID", caplog.text)
    assert [engine.sessions for engine in held.running.app.engines] == [1]
    held.place.audit()


def test_a_round_with_the_metadata_of_nobody_would_be_taken_by_the_broker(
    held: Held, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The trap: an engine that asks its client anew doubles what was settled meanwhile, and the audit sees it.

    Should this fail one day, look whether the guards are still needed.
    """
    send = Transaction.send

    def asks_anew(transaction: Transaction, offsets: list[TopicPartition], member: bytes) -> None:
        ours = transaction._owner.name.endswith("-held")
        send(transaction, offsets, held.member.consumer_group_metadata() if ours else member)

    monkeypatch.setattr(Transaction, "send", asks_anew)
    goes_on(held, caplog)

    assert "round refused" not in caplog.text
    with pytest.raises(AssertionError, match=r"doubled: \[b"):
        held.place.audit()


def test_a_round_with_the_metadata_of_the_next_membership_would_be_taken_though_its_partition_is_lost(
    held: Held, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The trap: the broker looks whether a member sends the offsets, and not whether the partitions are that member's.

    Should this fail one day, look whether the guards are still needed.
    """
    send, lost = Transaction.send, set[int]()

    def joins_first(transaction: Transaction, offsets: list[TopicPartition], member: bytes) -> None:
        if transaction._owner.name.endswith("-held") and held.member.is_lost:
            until(lambda: held.member.consume(1, 0.1) or not held.member.is_lost, WAIT, "it to join again", every=0)
            lost.update({place.partition for place in offsets} - held.member.given)
            member = held.member.consumer_group_metadata()
        send(transaction, offsets, member)

    monkeypatch.setattr(Transaction, "send", joins_first)
    goes_on(held, caplog)

    assert LAST in lost
    assert "round refused" not in caplog.text
    with pytest.raises(AssertionError, match=r"doubled: \[b"):
        held.place.audit()


def test_records_whose_partition_is_lost_while_they_are_gathered_are_left_to_its_new_owner(
    real_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are in hand with the metadata of the next membership, which the broker would take."""
    caplog.set_level(logging.INFO, "streaming")
    gathering = Held(real_place, monkeypatch)
    other: Running | None = None
    try:
        real_place.send(100)
        real_place.settled()
        gathering.member.told.set()
        real_place.send(400)
        assert gathering.member.holds.wait(WAIT)
        other = Running(make_app(counting(real_place), settings(real_place, "other")))
        real_place.settled()

        gathering.running.check()
        assert LAST not in gathering.member.given
        assert [engine.sessions for engine in gathering.running.app.engines] == [1]
    finally:
        for running in (gathering, other):
            if running is not None:
                running.stop()
    real_place.audit()


def test_a_call_that_never_comes_back_ends_the_process_and_its_successor_goes_on(real_place: Place) -> None:
    worker = real_place.start("one", "--fate", "hang")
    real_place.send(300)

    assert worker.process.wait(WAIT) == 70
    assert "send_offsets_to_transaction hangs: the process ends" in worker.said()

    successor = real_place.start("one").ready()
    real_place.settled()

    assert successor.end() == 0
    real_place.audit()


def test_a_worker_frozen_for_longer_than_its_transaction_may_last_takes_a_new_producer(real_place: Place) -> None:
    worker = real_place.start("one", "--fate", "freeze", "--session-timeout", "60", "--transaction-timeout", "1")
    real_place.send(300)
    until(lambda: psutil.Process(worker.process.pid).status() == psutil.STATUS_STOPPED, WAIT, "it to freeze")
    name = f"{real_place.prefix}counting-one"
    assert real_place.transactions()[name] == "Ongoing"
    until(
        lambda: real_place.transactions()[name] == "CompleteAbort",
        WAIT,
        "the broker to abort its transaction",
        every=0.3,
    )
    worker.wake()
    real_place.settled()

    assert worker.end() == 0
    assert "session lost" in worker.said()
    assert "assigned partitions" in worker.said().split("session lost")[1]
    real_place.audit()


def test_a_worker_whose_transactional_id_has_expired_takes_it_anew(topic_prefix: str, tmp_path: Path) -> None:
    """A stage that has nothing to do for a week is forgotten by the broker."""
    with forgetful(tmp_path / "node") as node:
        place = Place(node.bootstrap, topic_prefix, tmp_path / "workers")
        try:
            place.make_topics()
            place.send(100)
            worker = place.start().ready()
            place.settled()
            until(lambda: known_ids(node.bootstrap) == set(), WAIT, "the broker to forget its id", every=0.3)
            place.send(100)
            place.settled()

            assert worker.end() == 0
            place.audit()
        finally:
            place.close()
