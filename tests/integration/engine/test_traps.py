"""Traps of librdkafka and Kafka on which a stage could lose or double work; each is sprung on purpose."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer

from streaming.faust.app import make_app
from streaming.faust.owners import FormerOwners
from streaming.faust.settings import slot
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.kafka.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]


class Late(Consumer):
    """A consumer that hands records over when its membership is lost already, if it is told to.

    As long as it is no member it gives the metadata of nobody, as librdkafka does in moments that no test can hold.
    """

    told, holds, go_on = threading.Event(), threading.Event(), threading.Event()
    nobody, was_nobody = b"", False

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.is_late = str(config.get("client.id", "")).endswith("late")
        self.is_lost = False

    def subscribe(self, topics: list[str], **calls: Any) -> None:
        assigned, revoked = calls["on_assign"], calls["on_revoke"]

        def on_assign(*given: Any) -> None:
            self.is_lost = False
            assigned(*given)

        def on_revoke(*given: Any) -> None:
            self.is_lost = True
            revoked(*given)

        super().subscribe(topics, on_assign=on_assign, on_revoke=on_revoke, on_lost=on_revoke)

    def consume(self, *args: Any) -> list[Any]:
        found: list[Any] = super().consume(*args)
        if found and self.is_late and Late.told.is_set():
            Late.told.clear()
            Late.holds.set()
            assert Late.go_on.wait(WAIT)
            until(lambda: super(Late, self).consume(1, 0) == [] and self.is_lost, WAIT, "it to lose its membership")
            Late.was_nobody = True
        return found

    def consumer_group_metadata(self) -> bytes:
        return Late.nobody if self.is_lost else super().consumer_group_metadata()


def test_a_worker_that_is_nobody_any_more_settles_nothing_and_joins_again(
    real_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The broker takes offsets with the metadata of nobody, and librdkafka gives that once membership is lost."""
    monkeypatch.setattr("streaming.faust.settings.Consumer", Late)
    monkeypatch.setattr(FormerOwners, "abort", lambda *_: None)  # its successor would fence it by that, too
    caplog.set_level(logging.INFO)
    never_joined = Consumer({"bootstrap.servers": real_place.bootstrap, "group.id": real_place.prefix + "counting"})
    Late.nobody = never_joined.consumer_group_metadata()
    late = Running(make_app(counting(real_place), settings(real_place, "late", poll_interval=6)))
    other: Running | None = None
    try:
        real_place.send(100)
        real_place.settled()
        Late.told.set()
        real_place.send(400)
        assert Late.holds.wait(WAIT)
        other = Running(make_app(counting(real_place), settings(real_place, "other")))
        real_place.settled()  # by the other one: the late one holds records that are done
        joined = caplog.text.count("assigned partitions")
        Late.go_on.set()
        until(lambda: caplog.text.count("assigned partitions") >= joined + 2, WAIT, "it to join again", every=0.2)
        real_place.send(200)
        real_place.settled()

        assert Late.was_nobody
        assert [engine.sessions for engine in late.app.engines] == [1]
        assert offsets_are_taken(real_place, Late.nobody), "the trap is gone: look whether the guards are needed"
    finally:
        Late.go_on.set()
        for running in (late, other):
            if running is not None:
                running.stop()
    real_place.audit()


def offsets_are_taken(real_place: Place, member: bytes) -> bool:
    """Whether the broker commits offsets with such metadata; they are the ones that stand there already."""
    reader = Consumer({"bootstrap.servers": real_place.bootstrap, "group.id": real_place.prefix + "counting"})
    standing = reader.committed([slot(real_place.prefix + "events", 0)], WAIT)
    reader.close()
    producer = Producer({"bootstrap.servers": real_place.bootstrap, "transactional.id": real_place.prefix + "anybody"})
    producer.init_transactions(WAIT)
    producer.begin_transaction()
    producer.send_offsets_to_transaction(standing, member, WAIT)
    producer.commit_transaction(WAIT)
    return True


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
    worker.process.send_signal(signal.SIGCONT)
    real_place.settled()

    assert worker.end() == 0
    assert "session lost" in worker.said()
    assert "assigned partitions" in worker.said().split("session lost")[1]
    real_place.audit()


def test_a_worker_whose_transactional_id_has_expired_takes_it_anew(
    kafka_node: Node, topic_prefix: str, tmp_path: Path
) -> None:
    """A stage that has nothing to do for a week is forgotten by the broker."""
    kafka_node.stop()
    node = Node(
        kafka_node.home,
        settings={
            "transactional.id.expiration.ms": "1000",
            "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
            "producer.id.expiration.ms": "1000",
            "producer.id.expiration.check.interval.ms": "500",
        },
    )
    node.start()
    place = Place(node.bootstrap, topic_prefix, tmp_path / "workers")
    try:
        place.make_topics()
        place.send(100)
        worker = place.start().ready()
        place.settled()
        until(lambda: place.transactions() == {}, WAIT, "the broker to forget its id", every=0.3)
        place.send(100)
        place.settled()

        assert worker.end() == 0
        place.audit()
    finally:
        place.close()
        node.stop()
