from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import pytest
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from services.routing import relay as routing_relay
from services.routing.ledger import Ledger, upgrade
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import PublisherLost
from services.routing.relay import OutOfStep, Relay, in_step, kafka_relay
from streaming.client import KafkaAddress
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.routing.desk import feed, rows, runner
from tests.unit.routing import world
from tests.waiting import until

pytestmark = pytest.mark.postgres


@dataclass
class FakeKafka:
    """What outlives a publisher: records and positions, committed together."""

    records: list[Waiting] = field(default_factory=list)
    at: dict[int, int] = field(default_factory=dict)
    fall_after_commit: bool = False
    fall_before_commit: bool = False
    doubts: int = 0
    most: int = 1_000_000
    tried: list[int] = field(default_factory=list)
    made: int = 0

    def publisher(self, _ledger_id: str) -> FakePublisher:
        self.made += 1
        return FakePublisher(self)


@dataclass
class FakePublisher:
    kafka: FakeKafka

    def open(self) -> None: ...

    def close(self) -> None: ...

    def in_doubt(self) -> bool:
        self.kafka.doubts -= 1
        return self.kafka.doubts >= 0

    def positions(self, lanes: Collection[int]) -> dict[int, int]:
        return {lane: self.kafka.at[lane] for lane in lanes if lane in self.kafka.at}

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        if self.kafka.fall_before_commit:
            self.kafka.fall_before_commit = False
            raise PublisherLost("before the commit")
        self.kafka.tried.append(len(records))
        if len(records) > self.kafka.most:
            raise PublisherLost("not in the time that a transaction has")
        self.kafka.records += records
        self.kafka.at |= nexts
        if self.kafka.fall_after_commit:
            self.kafka.fall_after_commit = False
            raise PublisherLost("after the commit")


@pytest.fixture
def fake_kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def relay(ledger: Ledger, fake_kafka: FakeKafka) -> Iterator[Relay]:
    relay = Relay(ledger, "relay", fake_kafka.publisher)
    yield relay
    relay.stop()


def written(ledger: Ledger, statement: str) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(statement))


def empty(ledger: Ledger) -> bool:
    return not rows(ledger, "SELECT id FROM outbox")


def test_the_outbox_is_published_in_order_and_emptied(ledger: Ledger, relay: Relay, fake_kafka: FakeKafka) -> None:
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(50)))
    relay.start()
    until(lambda: empty(ledger), 10, "an empty outbox")
    lanes = {lane: [one.sequence for one in fake_kafka.records if one.lane == lane] for lane in fake_kafka.at}

    assert 100 == len(fake_kafka.records)
    assert all(list(range(len(numbers))) == numbers for numbers in lanes.values())


@pytest.mark.parametrize("fall", ["fall_before_commit", "fall_after_commit"])
def test_a_publisher_that_falls_publishes_nothing_twice(
    ledger: Ledger, relay: Relay, fake_kafka: FakeKafka, fall: str
) -> None:
    setattr(fake_kafka, fall, True)
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(50)))
    relay.start()
    until(lambda: empty(ledger), 10, "an empty outbox")

    assert 100 == len(fake_kafka.records) == len({(one.lane, one.sequence) for one in fake_kafka.records})


def test_a_publisher_in_doubt_publishes_nothing_more(ledger: Ledger, relay: Relay, fake_kafka: FakeKafka) -> None:
    fake_kafka.doubts = 2
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(50)))
    relay.start()
    until(lambda: empty(ledger), 10, "an empty outbox")

    assert fake_kafka.made == 3
    assert 100 == len(fake_kafka.records) == len({(one.lane, one.sequence) for one in fake_kafka.records})


def test_a_broker_that_says_what_was_long_ago_is_not_believed(ledger: Ledger, fake_kafka: FakeKafka) -> None:
    stage, relays = runner(ledger, world.plan()), [Relay(ledger, "relay", fake_kafka.publisher) for _ in range(2)]
    for number, relay in enumerate(relays):
        feed(stage, *(world.lead(f"lead-{number}-{i}") for i in range(50)))
        relay.start()
        until(lambda: empty(ledger), 10, "an empty outbox")
        relay.stop()
        fake_kafka.at = dict.fromkeys(fake_kafka.at, 1)

    assert 200 == len(fake_kafka.records) == len({(one.lane, one.sequence) for one in fake_kafka.records})


def test_one_relay_of_two_works_and_the_other_takes_over(ledger: Ledger, fake_kafka: FakeKafka) -> None:
    first, second = (Relay(ledger, "relay", fake_kafka.publisher) for _ in range(2))
    first.start()
    until(lambda: first.leading, 10, "the first to lead")
    second.start()
    feed(runner(ledger, world.plan()), world.lead("lena"))
    until(lambda: empty(ledger), 10, "an empty outbox")
    before = second.leading
    first.stop()
    until(lambda: second.leading, 10, "the second to lead")
    second.stop()

    assert not before
    assert 2 == len(fake_kafka.records)


HOLDERS = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def test_a_relay_that_has_the_lock_and_stands_still_is_deposed(
    ledger: Ledger, relay: Relay, fake_kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose process is frozen, or whose machine has gone without a word."""
    monkeypatch.setattr(routing_relay, "DEPOSE_SECONDS", 1.0)
    monkeypatch.setattr(routing_relay, "STANDBY_SECONDS", 0.05)
    with ledger.engine.connect() as frozen:
        frozen.execute(text("SELECT pg_advisory_lock(:key)"), {"key": crc32(b"relay")})
        feed(runner(ledger, world.plan()), world.lead("lena"))
        relay.start()
        until(lambda: "publishes nothing" in relay.trouble or relay.leading, 10, "the relay to see that nothing moves")
        until(lambda: empty(ledger), 10, "an empty outbox")
        with pytest.raises(OperationalError):
            frozen.execute(text("SELECT 1"))

    assert 2 == len(fake_kafka.records)


def test_a_relay_that_works_is_left_alone(
    ledger: Ledger, relay: Relay, fake_kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing_relay, "STANDBY_SECONDS", 0.02)
    relay.start()
    until(lambda: relay.leading, 10, "the relay to lead")
    standby = Relay(ledger, "relay", fake_kafka.publisher)
    began = standby.well_at
    standby.start()
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(20)))
    until(lambda: empty(ledger) and standby.well_at > began, 10, "an empty outbox and a look of the other one")
    standby.stop()

    assert (True, "") == (relay.leading, standby.trouble)


def test_a_relay_that_works_through_what_has_long_waited_is_left_alone(
    ledger: Ledger, fake_kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Kafka was away, what is first waits for long, and is another record each time."""
    now = [1_000.0]
    monkeypatch.setattr(routing_relay, "monotonic", lambda: now[0])
    monkeypatch.setattr(routing_relay, "STANDBY_SECONDS", 0.02)
    with ledger.engine.connect() as works:
        works.execute(text("SELECT pg_advisory_lock(:key)"), {"key": crc32(b"relay")})
        feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(5)))
        written(ledger, "UPDATE outbox SET written_at = written_at - interval '1 hour'")
        standby = Relay(ledger, "relay", fake_kafka.publisher)
        standby.start()
        try:
            for _ in range(6):
                written(ledger, "DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox)")
                now[0] += 0.7 * routing_relay.DEPOSE_SECONDS
                until(lambda: standby.well_at == now[0] or standby.trouble, 20, "another look")
                assert standby.trouble == ""
            now[0] += 1.1 * routing_relay.DEPOSE_SECONDS
            until(lambda: standby.trouble or standby.leading, 20, "it to see that nothing moves")
        finally:
            standby.stop()
        with pytest.raises(OperationalError):
            works.execute(text("SELECT 1"))


def test_a_round_that_kafka_does_not_take_is_done_again_with_half_as_much(
    ledger: Ledger, relay: Relay, fake_kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing_relay, "BACKOFF_SECONDS", (0.01,))
    monkeypatch.setattr(routing_relay, "BATCH", 16)
    fake_kafka.most = 4
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{i}") for i in range(10)))
    relay.start()
    until(lambda: empty(ledger), 10, "an empty outbox")

    assert fake_kafka.tried[:3] == [16, 8, 4]
    assert 20 == len(fake_kafka.records)


def test_a_relay_whose_connection_is_cut_comes_back(ledger: Ledger, relay: Relay, fake_kafka: FakeKafka) -> None:
    relay.start()
    until(lambda: relay.leading, 10, "the relay to lead")
    before = rows(ledger, HOLDERS)
    rows(
        ledger,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    feed(runner(ledger, world.plan()), world.lead("lena"))
    until(lambda: empty(ledger), 10, "an empty outbox")
    until(lambda: rows(ledger, HOLDERS) not in ([], before), 10, "the relay to hold the lock again")

    assert 2 == len(fake_kafka.records)


def test_a_space_in_the_database_url_reaches_the_server_as_it_is(database_url: str, fake_kafka: FakeKafka) -> None:
    upgrade(database_url)
    url = make_url(database_url).update_query_dict({"application_name": "lead relay"})
    ledger = Ledger.at(url.render_as_string(hide_password=False))
    relay = Relay(ledger, "relay", fake_kafka.publisher)
    relay.start()
    until(lambda: relay.leading, 10, "the relay to lead")
    holders = rows(
        ledger,
        "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
        " AND datname = current_database()",
    )
    relay.stop()
    ledger.close()

    assert [{"application_name": "lead relay"}] == holders


def test_a_gap_in_a_lane_is_told_and_not_jumped_over() -> None:
    missing = [Waiting(1, 0, 0, Output("t", None, None)), Waiting(2, 0, 2, Output("t", None, None))]

    with pytest.raises(OutOfStep, match="goes on at 2, 1 was due"):
        in_step(missing, {0: 0})


@pytest.mark.kafka
def test_leads_reach_their_topics_in_kafka_exactly_once(ledger: Ledger, kafka: str, topic_prefix: str) -> None:
    names = ["leads.scored", "sales.queue.enterprise", "sales.queue.general", "sales.assignments", "routing.state"]
    apply(kafka, [TopicSpec(topic_prefix + name, partitions=4) for name in names])
    leads = [world.lead(f"lead-{i}", segments=["enterprise"] if i % 2 else []) for i in range(200)]
    run = runner(ledger, world.plan(), prefix=topic_prefix)
    for half in (leads[:100], leads[100:]):
        relay = kafka_relay(ledger, KafkaAddress.parse(kafka), topic_prefix)
        relay.start()
        feed(run, *half, prefix=topic_prefix)
        until(lambda: empty(ledger), 30, "an empty outbox")
        relay.stop()

    assert sorted(lead.lead_id for lead in leads) == sorted(
        key for name in names[1:3] for key in keys_of(kafka, topic_prefix + name)
    )
    assert 200 == len(keys_of(kafka, topic_prefix + "sales.assignments"))


def keys_of(kafka: str, topic: str) -> list[str]:
    reader = Consumer({"bootstrap.servers": kafka, "group.id": "reader", "isolation.level": "read_committed"})
    slots = [TopicPartition(topic, number, 0) for number in range(4)]
    left = {slot.partition: reader.get_watermark_offsets(slot, 10)[1] for slot in slots}
    reader.assign(slots)
    found: list[str] = []

    def read() -> bool:
        taken = reader.consume(500, 0.2)
        found.extend((message.key() or b"").decode() for message in taken if message.error() is None)
        return all(at.offset >= left[at.partition] for at in reader.position(slots) if left[at.partition])

    until(read, 20, f"the end of {topic}", every=0)
    reader.close()
    return found
