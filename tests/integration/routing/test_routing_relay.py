from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from services.routing import relay as routing_relay
from services.routing.ledger import Ledger, upgrade
from services.routing.ledger.outbox import Waiting
from services.routing.relay import OutOfStep, Relay, in_step, kafka_relay
from streaming.client import KafkaAddress
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.routing.desk import feed, rows, runner
from tests.integration.routing.relays import FakeKafka, empty, keys_of
from tests.unit.routing import world
from tests.waiting import until

pytestmark = pytest.mark.postgres

HOLDERS = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)


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

    def keys(name: str) -> list[str]:
        return [key.decode() for of_one in keys_of(kafka, topic_prefix + name, 4) for key in of_one]

    assert sorted(lead.lead_id for lead in leads) == sorted([*keys(names[1]), *keys(names[2])])
    assert 200 == len(keys("sales.assignments"))
