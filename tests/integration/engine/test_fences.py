"""What keeps a worker out that the group has given up."""

from __future__ import annotations

import dataclasses
import logging
import re
import threading

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from services.routing.ledger import Ledger, upgrade
from services.routing.relay import kafka_relay
from streaming.client import KafkaAddress
from streaming.faust.app import make_app
from streaming.faust.owners import FormerOwners
from streaming.faust.settings import slot
from streaming.stage import Batch
from streaming.topics import TopicSpec, apply
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place, Worker
from tests.integration.routing.desk import rows
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.mark.real_kafka
def test_a_handler_slower_than_its_poll_interval_settles_nothing_and_its_worker_joins_again(
    real_place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FormerOwners, "abort", lambda *_: None)  # so that it is the generation alone that refuses it
    caplog.set_level(logging.INFO)
    go_on, entered = threading.Event(), threading.Event()
    stage = counting(real_place)

    def slow(batch: Batch[int]) -> None:
        entered.set()
        assert go_on.wait(WAIT)
        stage.handler(batch)

    late = Running(make_app(dataclasses.replace(stage, handler=slow), settings(real_place, "late", poll_interval=6)))
    other: Running | None = None
    try:
        real_place.send(400)
        assert entered.wait(WAIT)
        other = Running(make_app(stage, settings(real_place, "other")))
        real_place.settled()  # by the other one, what the late one has in hand included
        joined = caplog.text.count("assigned partitions")
        go_on.set()
        until(lambda: caplog.text.count("assigned partitions") >= joined + 2, WAIT, "it to join again", every=0.2)
        real_place.send(200)
        real_place.settled()

        assert "round refused" in caplog.text
        assert [engine.sessions for engine in late.app.engines] == [1]
    finally:
        go_on.set()
        for running in (late, other):
            if running is not None:
                running.stop()
    real_place.audit()


BY_GENERATION = r"round refused: .*(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION)"
BY_ID = "session lost .*fenced by a newer instance"
UNHEARD = "do not answer|_TIMED_OUT|_TRANSPORT"
"""A busy broker may not be heard in time: it has not judged the round then, which is given up all the same."""
REFUSALS = {"by its id": ((), BY_ID, BY_GENERATION), "by its generation": (("--spare",), BY_GENERATION, BY_ID)}
BY_DATABASE = "idle-in-transaction timeout|server closed the connection"
"""Which of the two a client reads is chance."""
EARLY, LATE = "while the other works", "when the other has finished"


@pytest.mark.real_kafka
@pytest.mark.parametrize(
    ("kind", "how", "wakes"),
    [
        *(pytest.param((), how, wakes, id=f"{how}-{wakes}") for wakes in (EARLY, LATE) for how in REFUSALS),
        pytest.param(("--no-state",), "by its id", LATE, id="without state, by its id"),
        pytest.param(("--no-state",), "by its generation", EARLY, id="without state, by its generation"),
    ],
)
def test_a_frozen_worker_that_wakes_up_has_its_round_refused(
    real_place: Place, kind: tuple[str, ...], how: str, wakes: str
) -> None:
    """It stands still in its handler, past its session's timeout: what it has in hand is another one's by then.

    That one has taken its transactional id, which refuses it first. Told to spare it, it leaves that to the group.
    """
    more, refused, otherwise = REFUSALS[how]
    frozen = dozing(real_place, *kind)
    real_place.send(8_000)
    other = real_place.start("other", "--max-records", "20", *kind, *more)
    if wakes == EARLY:
        until(lambda: real_place.done() > 0, WAIT, "the other one to have settled something")
        assert "assigned partitions" in other.said()
        assert real_place.done() < real_place.sent
    else:
        real_place.settled()
    why = refusal(frozen)
    real_place.send(400)
    real_place.settled()

    assert (frozen.end(), other.end()) == (0, 0)
    assert re.search(refused, why) or re.search(UNHEARD, why)
    assert not re.search(otherwise, frozen.said())
    assert ("aborting what" in other.said()) is (refused == BY_ID)
    real_place.audit()


@pytest.mark.real_kafka
@pytest.mark.postgres
def test_a_frozen_worker_that_wakes_up_has_lost_its_round_of_the_ledger(real_place: Place, database_url: str) -> None:
    """The database has ended it meanwhile, for others wait for the rows of its partitions."""
    upgrade(database_url)
    apply(real_place.bootstrap, [TopicSpec(real_place.prefix + name, 4) for name in ("leads.scored", "routing.state")])
    ledger, kind = Ledger.at(database_url), ("--no-state", "--database", database_url)
    relay = kafka_relay(ledger, KafkaAddress.parse(real_place.bootstrap), real_place.prefix)
    relay.start()
    try:
        frozen = dozing(real_place, *kind)
        other = real_place.start("other", *kind)
        real_place.settled()
        why = refusal(frozen)
        real_place.send(400)
        real_place.settled()

        assert (frozen.end(), other.end()) == (0, 0)
        assert re.search(BY_DATABASE, why)
        assert "session lost" not in frozen.said()
        until(lambda: not rows(ledger, "SELECT id FROM outbox"), WAIT, "all to be published")
    finally:
        relay.stop()
        ledger.close()
    real_place.audit()


def dozing(place: Place, *kind: str) -> Worker:
    """A worker that stands still with records in hand."""
    worker = place.start("frozen", "--fate", "doze", *kind)
    place.send(400)
    until(lambda: psutil.Process(worker.process.pid).status() == psutil.STATUS_STOPPED, WAIT, "it to freeze")
    return worker


def refusal(frozen: Worker) -> str:
    """Why its round does not count, as it says when it wakes up; it joins the group again, and does not end."""

    def said() -> str:
        assert frozen.process.poll() is None, frozen.said()
        found = re.search(rf"(round refused: |session lost|{BY_DATABASE}).*", frozen.said())
        return found.group() if found else ""

    frozen.wake()
    why = until(said, WAIT, "its round to be refused")
    until(lambda: frozen.said().count("assigned partitions") > 1, WAIT, "it to join again")
    return why


@pytest.mark.real_kafka
def test_real_kafka_refuses_an_old_generation(real_place: Place) -> None:
    assert refusal_of_an_old_generation(real_place) == KafkaError.ILLEGAL_GENERATION


def test_the_embedded_broker_does_not_refuse_an_old_generation(embedded_place: Place) -> None:
    """So `baton up` runs one worker a stage on it, and with a name that stays; once it does, that can go."""
    assert refusal_of_an_old_generation(embedded_place) is None


def refusal_of_an_old_generation(place: Place) -> int | None:
    """The code that offsets are refused with, of a member as it was before another one joined; None: they are taken."""
    config = {"bootstrap.servers": place.bootstrap, "group.id": place.prefix + "counting", "session.timeout.ms": 6000}
    members = [Consumer({**config, "client.id": name}) for name in ("first", "second")]
    producer = Producer({"bootstrap.servers": place.bootstrap, "transactional.id": place.prefix + "first"})
    try:
        members[0].subscribe([place.prefix + "events"])
        until(lambda: members[0].poll(0.1) or members[0].assignment(), WAIT, "the first to join")
        old = members[0].consumer_group_metadata()
        members[1].subscribe([place.prefix + "events"])
        until(lambda: [m.poll(0.1) for m in members] and members[1].assignment(), WAIT, "the second to join")
        producer.init_transactions(WAIT)
        producer.begin_transaction()
        refusal: int | None = None
        try:
            producer.send_offsets_to_transaction([slot(place.prefix + "events", 0, 0)], old, WAIT)
        except KafkaException as error:
            refusal = error.args[0].code()
        producer.abort_transaction(WAIT)
    finally:
        for member in members:
            member.close()
    return refusal
