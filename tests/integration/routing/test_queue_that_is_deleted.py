"""A queue's topic is deleted under the relay: it waits and says so, and once there is one again, nothing is missing."""

from __future__ import annotations

from collections import Counter

import pytest

from schemas import ScoredLead
from services.routing import relay as routing_relay
from services.routing import watch as routing_watch
from services.routing.ledger import Ledger
from services.routing.relay import kafka_relay
from services.routing.watch import RelayWatch
from streaming.client import KafkaAddress
from streaming.metrics import REGISTRY
from streaming.topics import TopicSpec, apply
from tests.audit.records import read_all
from tests.deletion import delete
from tests.integration.routing.desk import feed, rows, runner
from tests.integration.routing.relays import empty
from tests.unit.routing import world
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(200)]

GENERAL, ENTERPRISE = "sales.queue.general", "sales.queue.enterprise"
CHANGES, FAILED = "sales.assignments", "routing.failed"
PARTITIONS = 4


def leads(first: int, count: int) -> list[ScoredLead]:
    """Every other one is for the queue whose topic stays."""
    numbers = range(first, first + count)
    return [world.lead(f"lead-{n}", segments=["enterprise"] if n % 2 else []) for n in numbers]


def test_a_queue_that_is_deleted_under_the_relay_and_made_anew_gets_every_row_once(
    ledger: Ledger, real_kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_topics() -> None:
        names = ["leads.scored", "routing.state", GENERAL, ENTERPRISE, CHANGES, FAILED]
        apply(real_kafka, [TopicSpec(topic_prefix + name, PARTITIONS) for name in names])

    def keys(name: str) -> Counter[str]:
        return Counter(seen.key for seen in read_all(real_kafka, [topic_prefix + name]))

    monkeypatch.setattr(routing_relay, "BACKOFF_SECONDS", (0.05,))
    monkeypatch.setattr(routing_watch, "PATIENCE_SECONDS", 1.0)
    make_topics()
    stage, before, after = runner(ledger, world.plan(), prefix=topic_prefix), leads(0, 40), leads(40, 60)
    relay = kafka_relay(ledger, KafkaAddress.parse(real_kafka), topic_prefix)
    watch = RelayWatch(ledger, relay)

    def why() -> str:
        watch.look()
        return watch.why()

    relay.start()
    try:
        feed(stage, *before, prefix=topic_prefix)
        until(lambda: empty(ledger), 30, "an empty outbox")
        delete(real_kafka, topic_prefix + GENERAL)
        feed(stage, *after, prefix=topic_prefix)
        # The one that had it in hand is told of a broken transaction, those that come after it of the topic.
        told = until(lambda: said if GENERAL in (said := why()) else "", 60, "the relay to say what it waits for")
        # What is too large is found by halves and set aside: not so what has nowhere to go, however often it is tried.
        until(lambda: relay._share == routing_relay.BATCH and relay._failures > 3, 60, "it to try a record alone")
        waiting = REGISTRY.get_sample_value("baton_outbox_records")
        make_topics()
        until(lambda: empty(ledger), 90, "an empty outbox")
        until(lambda: not why(), 10, "the relay to be well")
    finally:
        relay.stop()

    assert told.startswith("the relay does not get on: PublisherLost: ")
    assert "Unknown topic" in told
    assert "records wait" in told
    assert len(after[::2]) <= (waiting or 0)
    assert {} == keys(FAILED)
    assert Counter(lead.lead_id for lead in after[::2]) == keys(GENERAL)
    assert Counter(lead.lead_id for lead in [*before, *after][1::2]) == keys(ENTERPRISE)
    assert Counter(lead.lead_id for lead in [*before, *after]) == keys(CHANGES)
    assert [] == rows(ledger, "SELECT * FROM set_aside")
