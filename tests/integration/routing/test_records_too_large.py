"""A record that its topic does not take goes to `routing.failed` in its place, and holds nobody up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from services.routing import relay as routing_relay
from services.routing.ledger import Ledger
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import TooLargeForKafka
from services.routing.relay import Relay, kafka_relay
from streaming.client import KafkaAddress
from streaming.metrics import REGISTRY
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.engine.committed import committed
from tests.integration.routing.relays import FakeKafka, FakePublisher, empty
from tests.waiting import until

pytestmark = pytest.mark.postgres

LARGE, SMALL = b"x" * 5_000, b"y"
SIZES = (SMALL, SMALL, LARGE, SMALL, LARGE, SMALL, SMALL)


def fill(ledger: Ledger, topic: str) -> None:
    with ledger.unit() as unit:
        unit.publish([Output(topic, b"k%d" % n, value, [("h", b"1")], 0, lane=n % 2) for n, value in enumerate(SIZES)])


def refused() -> float:
    return REGISTRY.get_sample_value("baton_failed_total", {"stage": "routing", "reason": "too_large"}) or 0.0


class Choosy(FakePublisher):
    """Takes no large record, but for failed ones."""

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        if any(one.output.value == LARGE and one.output.topic != "routing.failed" for one in records):
            raise TooLargeForKafka("larger than the topic takes")
        super().publish(records, nexts)


def test_it_is_set_aside_and_all_others_are_published_in_order(
    ledger: Ledger, fake_kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing_relay, "BACKOFF_SECONDS", (0.01,))
    before = refused()
    fill(ledger, "elsewhere")
    relay = Relay(ledger, "relay", lambda _: Choosy(fake_kafka))
    relay.start()
    try:
        until(lambda: empty(ledger), 20, "an empty outbox")
    finally:
        relay.stop()
    aside = [one for one in fake_kafka.records if one.output.topic == "routing.failed"]
    lanes = {lane: [one.sequence for one in fake_kafka.records if one.lane == lane] for lane in (0, 1)}

    assert lanes == {0: [0, 1, 2, 3], 1: [0, 1, 2]}
    assert [(one.output.key, one.output.value) for one in aside] == [(b"k2", LARGE), (b"k4", LARGE)]
    assert dict(aside[0].output.headers)["baton_topic"] == b"elsewhere"
    assert dict(aside[0].output.headers)["h"] == b"1"
    assert refused() - before == 2


@pytest.mark.kafka
@pytest.mark.real_kafka
def test_on_a_broker_that_refuses_it(ledger: Ledger, kafka: str, topic_prefix: str) -> None:
    queue, aside = topic_prefix + "elsewhere", topic_prefix + "routing.failed"
    names = ("leads.scored", "routing.state", "routing.failed")
    apply(kafka, [TopicSpec(topic_prefix + name, partitions=1) for name in names])
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(queue, 1, 1, config={"max.message.bytes": "2000"})])[queue].result()
    fill(ledger, queue)
    relay = kafka_relay(ledger, KafkaAddress.parse(kafka), topic_prefix)
    relay.start()
    try:
        until(lambda: empty(ledger), 60, "an empty outbox")
    finally:
        relay.stop()

    assert committed(kafka, queue) == [value for value in SIZES if value == SMALL]
    assert committed(kafka, aside) == [LARGE, LARGE]
    assert relay.trouble == ""
