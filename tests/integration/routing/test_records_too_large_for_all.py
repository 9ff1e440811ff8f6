"""A record that `routing.failed` does not take either: a note of it goes there, and the ledger keeps the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from services.routing import relay as routing_relay
from services.routing.ledger import Ledger
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import MESSAGE_BYTES, TooLargeForKafka
from services.routing.relay import Relay, kafka_relay
from streaming.client import KafkaAddress
from streaming.memory import MemoryRecord
from streaming.metrics import REGISTRY
from streaming.run import failed_record
from streaming.stage import Failure, Output
from streaming.topics import TopicSpec, apply
from tests.integration.engine.committed import committed
from tests.integration.routing.desk import rows
from tests.integration.routing.relays import FakeKafka, FakePublisher, empty
from tests.waiting import until

pytestmark = pytest.mark.postgres

QUEUE, FAILED = "elsewhere", "routing.failed"
HUGE, LARGE, SMALL = b"x" * 9_000, b"x" * 5_000, b"y"
KEPT = "SELECT lane, sequence, topic, key, value, headers FROM set_aside"


@dataclass
class Limits(FakePublisher):
    """Takes no record that is larger than its topic's limit."""

    most: dict[str, int] = field(default_factory=lambda: {QUEUE: 4_000, FAILED: 6_000})
    refusals: int = 0

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        if any(size(one.output) > self.most[one.output.topic] for one in records):
            self.refusals += 1
            raise TooLargeForKafka("larger than the topic takes")
        super().publish(records, nexts)


def size(output: Output) -> int:
    return len(output.key or b"") + len(output.value or b"") + sum(len(value or b"") for _, value in output.headers)


def fill(ledger: Ledger, *outputs: Output) -> None:
    with ledger.unit() as unit:
        unit.publish(outputs)


def out(value: bytes, lane: int = 0, key: bytes = b"lead-1") -> Output:
    return Output(QUEUE, key, value, [("ce_id", b"e-1")], lane=lane)


def failure(value: bytes, prefix: str = "") -> Output:
    """What the stage makes of a record that it could not process."""
    source = MemoryRecord(prefix + "leads.scored", 3, 17, b"lead-1", value, (("ce_id", b"e-1"),), 5)
    why = Failure(source, "schema_violation", "person: is missing", "the trace")
    return failed_record(prefix + FAILED, why, "2026-11-02T09:00:00Z")


def counted() -> float:
    return REGISTRY.get_sample_value("baton_failed_total", {"stage": "routing", "reason": "too_large"}) or 0.0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing_relay, "BACKOFF_SECONDS", (0.01,))


@pytest.fixture
def limits(fake_kafka: FakeKafka) -> Limits:
    return Limits(fake_kafka)


@pytest.fixture
def relay(ledger: Ledger, limits: Limits) -> Iterator[Relay]:
    relay = Relay(ledger, "relay", lambda _: limits)
    yield relay
    relay.stop()


def relayed(ledger: Ledger, relay: Relay) -> None:
    relay.start()
    until(lambda: empty(ledger), 20, "an empty outbox")
    relay.stop()


def notes(kafka: FakeKafka) -> list[Any]:
    return [one for one in kafka.records if one.output.topic == FAILED]


def test_a_note_takes_its_place_and_the_lane_goes_on(ledger: Ledger, relay: Relay, fake_kafka: FakeKafka) -> None:
    before = counted()
    fill(ledger, out(SMALL), out(SMALL, 1), out(HUGE), out(LARGE), out(SMALL), out(HUGE, 1), out(SMALL, 1))
    relayed(ledger, relay)
    lanes = {lane: [one.sequence for one in fake_kafka.records if one.lane == lane] for lane in (0, 1)}
    first, whole, second = notes(fake_kafka)
    said = dict(first.output.headers)

    assert lanes == {0: [0, 1, 2, 3], 1: [0, 1, 2]}
    assert [one.output.value for one in (first, whole, second)] == [None, LARGE, None]
    assert (first.output.key, said["baton_reason"], said["baton_topic"]) == (b"lead-1", b"too_large", b"elsewhere")
    assert said["baton_set_aside"] == b"0-1"
    assert b"the ledger keeps it" in said["baton_detail"]
    assert [tuple(one.values()) for one in rows(ledger, f"{KEPT} ORDER BY lane")] == [
        (0, 1, QUEUE, b"lead-1", HUGE, b'[["ce_id","e-1"]]'),
        (1, 1, QUEUE, b"lead-1", HUGE, b'[["ce_id","e-1"]]'),
    ]
    assert said["baton_kept"].decode() in {one["id"] for one in rows(ledger, "SELECT id FROM set_aside")}
    assert counted() - before == 3


def test_what_the_stage_could_not_process_keeps_its_reason_and_is_not_counted_again(
    ledger: Ledger, relay: Relay, fake_kafka: FakeKafka
) -> None:
    before = counted()
    fill(ledger, failure(HUGE), failure(SMALL))
    relayed(ledger, relay)
    note, neighbour = notes(fake_kafka)
    said = dict(note.output.headers)

    assert (note.sequence, neighbour.sequence) == (0, 1)
    assert (said["baton_reason"], said["baton_topic"]) == (b"schema_violation", b"leads.scored")
    assert (said["baton_partition"], said["baton_offset"]) == (b"3", b"17")
    assert said["baton_detail"].startswith(b"person: is missing")
    assert not {"ce_id", "baton_trace", "baton_set_aside"} & said.keys(), "what may be large stands in the ledger alone"
    assert [one["value"] for one in rows(ledger, KEPT)] == [HUGE]
    assert counted() == before


@pytest.mark.parametrize("fall", ["fall_before_commit", "fall_after_commit"])
def test_a_crash_at_the_note_leaves_one_note_and_one_record(
    ledger: Ledger, limits: Limits, fake_kafka: FakeKafka, fall: str
) -> None:
    class Falling(Limits):
        def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
            if not fell and any(one.output.value is None for one in records):
                fell.append(True)
                setattr(self.kafka, fall, True)
            super().publish(records, nexts)

    fell: list[bool] = []
    fill(ledger, out(SMALL), out(HUGE), out(SMALL))
    died = Relay(ledger, "relay", lambda _: Falling(fake_kafka))
    died.start()
    until(lambda: bool(fell), 20, "the fall")
    died.stop()
    relayed(ledger, Relay(ledger, "relay", lambda _: limits))  # knows nothing of what the other one found

    assert fell
    assert [one.sequence for one in fake_kafka.records] == [0, 1, 2]
    [note], [kept] = notes(fake_kafka), rows(ledger, "SELECT id FROM set_aside")
    assert dict(note.output.headers)["baton_kept"].decode() == kept["id"]


def test_a_large_key_and_large_headers_make_no_large_note(ledger: Ledger, relay: Relay, fake_kafka: FakeKafka) -> None:
    fill(ledger, Output(QUEUE, b"k" * 9_000, b"v", [("h", b"h" * 9_000), ("baton_replay_of", b"x" * 9_000)], lane=0))
    relayed(ledger, relay)
    [note] = notes(fake_kafka)

    assert note.output.key is None
    assert size(note.output) < 1_000
    assert [len(one["key"]) for one in rows(ledger, KEPT)] == [9_000]


def test_where_not_even_a_note_fits_it_is_said_and_waited_for(
    ledger: Ledger, relay: Relay, limits: Limits, fake_kafka: FakeKafka
) -> None:
    limits.most[FAILED] = 10
    fill(ledger, out(SMALL), out(HUGE), out(SMALL))
    relay.start()
    until(lambda: "not even a note" in relay.trouble, 20, "the trouble to be told")
    waiting = rows(ledger, "SELECT sequence FROM outbox ORDER BY id")
    limits.most[FAILED] = 6_000
    until(lambda: empty(ledger), 20, "an empty outbox")

    assert "raise max.message.bytes of routing.failed" in relay.trouble or relay.trouble == ""
    assert [one["sequence"] for one in waiting] == [1, 2]
    assert [one.sequence for one in fake_kafka.records] == [0, 1, 2]


def test_among_few_it_is_soon_found(ledger: Ledger, relay: Relay, limits: Limits, fake_kafka: FakeKafka) -> None:
    """Each try that is refused takes a new producer, and all lanes wait for it."""
    fill(ledger, *(out(value, lane) for lane, value in enumerate((SMALL, SMALL, SMALL, SMALL, SMALL, LARGE))))
    relayed(ledger, relay)

    assert limits.refusals <= 5
    assert len(fake_kafka.records) == 6


@pytest.mark.kafka
def test_what_is_larger_than_the_relay_sends_at_all(ledger: Ledger, kafka: str, topic_prefix: str) -> None:
    """The client refuses that by itself, as it is handed over."""
    names = ("leads.scored", "routing.state", FAILED, QUEUE)
    apply(kafka, [TopicSpec(topic_prefix + name, 1, {"max.message.bytes": "20000000"}) for name in names])
    fill(ledger, *(out(value)._replace(topic=topic_prefix + QUEUE) for value in (SMALL, bytes(MESSAGE_BYTES), SMALL)))
    relayed(ledger, kafka_relay(ledger, KafkaAddress.parse(kafka), topic_prefix))

    assert committed(kafka, topic_prefix + QUEUE) == [SMALL, SMALL]
    assert committed(kafka, topic_prefix + FAILED) == [None]
    assert [len(one["value"]) for one in rows(ledger, KEPT)] == [MESSAGE_BYTES]


@pytest.mark.kafka
@pytest.mark.real_kafka
def test_on_a_broker(ledger: Ledger, kafka: str, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    apply(kafka, [TopicSpec(topic_prefix + name, partitions=1) for name in ("leads.scored", "routing.state")])
    for name, most in ((QUEUE, 4_000), (FAILED, 6_000)):
        topic = topic_prefix + name
        admin.create_topics([NewTopic(topic, 1, 1, config={"max.message.bytes": str(most)})])[topic].result()
    values = (SMALL, HUGE, SMALL, LARGE, SMALL)
    fill(
        ledger,
        *(out(value)._replace(topic=topic_prefix + QUEUE) for value in values),
        failure(HUGE, topic_prefix)._replace(lane=0),
    )
    relay = kafka_relay(ledger, KafkaAddress.parse(kafka), topic_prefix)
    relay.start()
    try:
        until(lambda: empty(ledger), 60, "an empty outbox")
    finally:
        relay.stop()

    assert committed(kafka, topic_prefix + QUEUE) == [SMALL, SMALL, SMALL]
    assert committed(kafka, topic_prefix + FAILED) == [None, LARGE, None]
    assert [one["value"] for one in rows(ledger, f"{KEPT} ORDER BY sequence")] == [HUGE, HUGE]
