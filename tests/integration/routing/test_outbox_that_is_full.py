"""Where the relay does not get on, routing stops to fetch, the outbox stays bounded, and all goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from services.routing.ledger import BoundedOutbox, Ledger
from services.routing.outcomes import Outcomes
from services.routing.relay import Relay
from services.routing.stage import make_stage
from services.routing.timers import Timers
from streaming.faust.app import EngineSettings, make_app
from streaming.faust.assignment import Assignment
from streaming.memory import MemoryRecord, MemoryRunner
from streaming.stage import TransientError
from streaming.topics import TopicSpec, apply
from tests.integration.engine.kafka_driver import Running
from tests.integration.routing.desk import feed, rows, runner
from tests.integration.routing.test_relay_watch import FakePublisher
from tests.unit.routing import world
from tests.waiting import until

pytestmark = pytest.mark.postgres

OFFER = world.ROUTING.replace("pool: {team: inbound}}", "pool: {team: inbound}, offer: {within: 5m}}")


@pytest.fixture
def refusing() -> FakePublisher:
    return FakePublisher(refusals=10**9)


@pytest.fixture
def relay(ledger: Ledger, refusing: FakePublisher) -> Iterator[Relay]:
    relay = Relay(ledger, "relay", lambda _: refusing)
    yield relay
    relay.stop()


def count_fetches(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one whenever a worker begins to fetch."""
    begun: list[None] = []
    fetch = Assignment.fetch

    def counted(assignment: Assignment) -> None:
        begun.append(None)
        fetch(assignment)

    monkeypatch.setattr(Assignment, "fetch", counted)
    return begun


def waiting(ledger: Ledger) -> int:
    [row] = rows(ledger, "SELECT count(*) AS records FROM outbox")
    return int(row["records"])


def bounded(ledger: Ledger, most: int) -> BoundedOutbox:
    """Time flies: every look at the outbox is a new one."""
    seconds = count(step=10)
    return BoundedOutbox(ledger, most, clock=lambda: next(seconds))


def test_the_outbox_stays_bounded_and_routing_goes_on_once_the_relay_does(
    ledger: Ledger, relay: Relay, refusing: FakePublisher
) -> None:
    stage = make_stage(world.plan(), bounded(ledger, most=20))
    run = MemoryRunner([stage], partitions=1, max_records=5, now=world.NOON)
    for number in range(50):
        run.send("leads.scored", b"lead-%d" % number, world.lead(f"lead-{number}").to_json())
    relay.start()
    with pytest.raises(TransientError, match="the outbox is full: 30 records wait"):
        run.run()
    at_most, taken = waiting(ledger), rows(ledger, "SELECT next FROM positions")
    refusing.refusals = 0

    def all_taken() -> bool:
        try:
            return run.run() == 0
        except TransientError:
            return False

    until(lambda: all_taken() and not waiting(ledger), 30, "everything to be routed and published")

    assert (at_most, taken) == (30, [{"next": 15}])  # a round of five leads makes ten records, and is not cut
    assert 100 == len({(one.lane, one.sequence) for one in refusing.published}) == len(refusing.published)


def test_what_people_and_timers_do_is_not_held_up(ledger: Ledger) -> None:
    plan = world.plan(OFFER)
    feed(runner(ledger, plan), world.lead("lena"), world.lead("mia"))
    with pytest.raises(TransientError):
        BoundedOutbox(ledger, 1).position("leads.scored", 0)
    before, now = waiting(ledger), world.NOON + 60
    answer = {"outcome_id": "o", "kind": "accepted", "lead_id": "lena", "occurred_at": "2026-09-24T12:00:30Z"}
    record = MemoryRecord("sales.outcomes", 0, 0, b"lena", orjson.dumps(answer), (), 0)

    assert "applied" == Outcomes(ledger, plan, clock=lambda: now).take(record)
    assert 1 == Timers(ledger, plan).tick(world.NOON + 600)  # the other one's offer has run out
    assert waiting(ledger) > before + 1


@pytest.mark.kafka
def test_a_worker_fetches_nothing_while_the_outbox_is_full_and_says_so(
    ledger: Ledger,
    relay: Relay,
    refusing: FakePublisher,
    kafka: str,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = make_stage(world.plan(), bounded(ledger, most=40), topic_prefix)
    source = stage.source
    apply(kafka, [TopicSpec(name, 1) for name in (source, stage.failed, *stage.outputs)])
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True})
    for number in range(100):
        producer.produce(source, world.lead(f"lead-{number}").to_json(), b"lead-%d" % number)
    producer.flush(30)
    settings = EngineSettings(
        bootstrap=kafka, group=topic_prefix + "routing", instance="one", data_dir=tmp_path, max_records=10
    )
    fetches = count_fetches(monkeypatch)
    running = Running(make_app(stage, settings))
    relay.start()

    def condition() -> dict[str, Any]:
        found: dict[str, Any] = running.app.readiness.as_json()["conditions"].get("routing.settling", {})
        return found

    try:
        until(lambda: "the outbox is full" in condition().get("why", ""), 40, "the worker to say that it stands still")
        until(lambda: "cannot prepare" in condition()["why"], 40, "it to ask again")
        full, told, before = waiting(ledger), condition(), len(fetches)
        failures = relay._failures
        until(lambda: relay._failures > failures, 40, "the relay to fail again")
        later, after = waiting(ledger), len(fetches)
        refusing.refusals = 0
        until(lambda: len(refusing.published) == 200 and not waiting(ledger), 60, "all to be routed and published")
        until(lambda: condition()["ok"], 40, "the worker to be well")
    finally:
        running.stop()

    assert not told["ok"]
    assert 40 < full == later <= 60
    assert before == after
    assert 200 == len({(one.lane, one.sequence) for one in refusing.published})
