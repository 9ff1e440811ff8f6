"""The end of a transaction was sent twice, and the broker is at the first request when the next transaction is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from baton.refusal import Refusal
from baton.transactions import Outbound
from schemas.topics import LEADS_SCORED, changelog
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import KafkaPublisher
from streaming.faust.producer import TransactionalProducer
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.engine.between import standing_between
from tests.integration.engine.committed import committed
from tests.integration.engine.place import WAIT
from tests.integration.engine.repeating import Repeating
from tests.kafka import jars

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka]

TOPIC = "late"


@pytest.fixture
def repeated(tmp_path: Path) -> Iterator[tuple[EngineSettings, Repeating]]:
    if reason := jars.obstacle():
        pytest.skip(f"needs a Kafka node of its own: {reason}")
    with standing_between(tmp_path / "node", Repeating) as (bootstrap, repeating):
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result()
        yield EngineSettings(bootstrap=bootstrap, group="g", instance="one", data_dir=tmp_path), repeating


def test_librdkafka_alone_lets_it_commit_half_a_transaction(repeated: tuple[EngineSettings, Repeating]) -> None:
    """Where this fails, librdkafka or the broker have mended it, and a producer need no longer begin anew."""
    settings, repeating = repeated
    producer: Producer = settings.transactional_producer("one")
    producer.init_transactions(WAIT)
    producer.begin_transaction()
    producer.produce(TOPIC, b"whole", partition=0)
    producer.commit_transaction(WAIT)
    assert repeating.ends > 1  # once more on a new connection

    producer.begin_transaction()
    producer.produce(TOPIC, b"half", partition=0)
    producer.flush(WAIT)
    assert repeating.say_again(WAIT) == 0
    assert committed(settings.bootstrap, TOPIC) == [b"whole", b"half"]


@pytest.mark.parametrize("ends", ["commit", "abort"])
@pytest.mark.parametrize("options", [{}, {"log_level": "0", "log.connection.close": "false"}], ids=["", "muted"])
def test_a_stage_goes_on_with_a_producer_that_it_cannot_reach(
    repeated: tuple[EngineSettings, Repeating], ends: str, options: dict[str, str]
) -> None:
    settings, repeating = repeated
    producer = TransactionalProducer(replace(settings, librdkafka=options), "one", Watchdog())
    producer.open()
    try:
        publish(producer, b"first", commits=ends == "commit")
        assert repeating.ends > 1
        with producer.transaction() as transaction:
            transaction.publish([Output(TOPIC, b"key", b"second", [], 0, 0)], 0)
            producer.hear()
            assert repeating.say_again(WAIT) != 0
            producer.end(transaction._producer.commit_transaction)
    finally:
        producer.close()

    assert committed(settings.bootstrap, TOPIC) == [b"first", b"second"][ends == "abort" :]


def test_the_publisher_of_the_relay_says_that_another_one_has_to_go_on(
    repeated: tuple[EngineSettings, Repeating],
) -> None:
    settings, repeating = repeated
    apply(settings.bootstrap, [TopicSpec(name, 1) for name in (LEADS_SCORED, changelog("routing"))])
    publishers = [KafkaPublisher(settings.address(), "relay", "", "ledger") for _ in range(2)]
    try:
        publishers[0].open()
        assert not publishers[0].in_doubt()
        publishers[0].publish([Waiting(1, 0, 0, Output(TOPIC, b"key", b"first", [], 0, 0))], {0: 1})
        assert repeating.ends > 1
        assert publishers[0].in_doubt()
        publishers[1].open()
        assert publishers[1].positions([0]) == {0: 1}
        assert repeating.say_again(WAIT) != 0
    finally:
        for publisher in publishers:
            publisher.close()

    assert committed(settings.bootstrap, TOPIC) == [b"first"]


def test_a_replay_ends_in_place_of_what_could_be_taken_back(repeated: tuple[EngineSettings, Repeating]) -> None:
    settings, repeating = repeated
    with Outbound(settings.address(), "replay") as outbound:
        outbound.send([Output(TOPIC, b"key", b"first", [], 0, 0)])
        assert repeating.ends > 1
        with pytest.raises(Refusal, match="the broker was away"):
            outbound.send([Output(TOPIC, b"key", b"second", [], 0, 0)])

    assert committed(settings.bootstrap, TOPIC) == [b"first"]


def publish(producer: TransactionalProducer, value: bytes, *, commits: bool) -> None:
    given_up = nullcontext() if commits else pytest.raises(RuntimeError)
    with given_up, producer.transaction() as transaction:
        transaction.publish([Output(TOPIC, b"key", value, [], 0, 0)], 0)
        producer.hear()
        if not commits:
            raise RuntimeError
        producer.end(transaction._producer.commit_transaction)
