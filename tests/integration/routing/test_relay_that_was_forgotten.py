"""The relay of a routing that has nothing to publish for a week: the broker has forgotten its transactional id."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest

from services.routing.ledger import Ledger
from services.routing.relay import kafka_relay
from streaming.client import KafkaAddress
from streaming.topics import TopicSpec, apply
from tests.audit.records import read_all
from tests.integration.routing.desk import feed, runner
from tests.integration.routing.relays import empty
from tests.kafka.forgetful import forgetful, known_ids
from tests.unit.routing import world
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(200)]

QUEUE, CHANGES, FAILED = "sales.queue.general", "sales.assignments", "routing.failed"
TOPICS = [TopicSpec(name, 4) for name in ("leads.scored", "routing.state", QUEUE, CHANGES, FAILED)]
WAIT = 30.0


def test_it_takes_the_id_anew_and_publishes_every_row_once(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leads = [world.lead(f"lead-{n}") for n in range(40)]
    stage = runner(ledger, world.plan())
    with forgetful(tmp_path / "node") as node:
        apply(node.bootstrap, TOPICS)
        relay = kafka_relay(ledger, KafkaAddress.parse(node.bootstrap))
        relay.start()
        try:
            feed(stage, *leads[:20])
            until(lambda: empty(ledger), WAIT, "an empty outbox")
            until(lambda: known_ids(node.bootstrap) == set(), WAIT, "the broker to forget its id", every=0.3)
            caplog.clear()
            caplog.set_level(logging.INFO)
            feed(stage, *leads[20:])
            until(lambda: empty(ledger), WAIT, "an empty outbox")
            until(lambda: not relay.trouble, WAIT, "the relay to be well")
        finally:
            relay.stop()

        assert "the relay starts anew: PublisherLost" in caplog.text
        for topic in (QUEUE, CHANGES):
            assert Counter(seen.key for seen in read_all(node.bootstrap, [topic])) == {x.lead_id: 1 for x in leads}
        assert list(read_all(node.bootstrap, [FAILED])) == []
