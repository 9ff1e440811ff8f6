"""Scoring and routing as they ship, slower than their sources: they stop fetching, and their memory has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.integration.engine.memory import BOUND, Watched, stays_bounded, stood_still, throttle, watched
from tests.integration.shipped.stages import WAIT, Shipped
from tests.kafka import jars
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(400)]

RECORDS, SIZE = 45_000, 3
"""Of 2 kB: 100 MB, more than a worker may take."""
REMEMBERED = 25_000
"""Leads that scoring remembers before it is slowed: no backlog (docs/operating.md)."""
MOST = 600 * 1024 * 1024
"""No worker may ever have more, as in a long run under faults."""
OUTBOX_MOST, RELAY_BOUND = 2_000, (8 + 16) * 1024 * 1024
SLOW_LEDGER = """
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
    CREATE TRIGGER dawdle AFTER INSERT OR UPDATE ON leads FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
    CREATE TRIGGER dawdle AFTER DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
"""
QUICK_LEDGER = "DROP TRIGGER dawdle ON leads; DROP TRIGGER dawdle ON outbox"


@contextmanager
def at_work(one: Shipped, **more: str) -> Iterator[Watched]:
    """Its worker, watched, once it is ready."""
    if reason := jars.obstacle():
        pytest.skip(f"needs Kafka's own tool to make a broker slow: {reason}")
    told = one.environment("one", **more)
    with watched(one.home / "w", "baton", one.name, environment=told) as worker:
        until(one.is_ready, WAIT, f"{one.name} to be ready", every=0.2)
        yield worker


@contextmanager
def slow(one: Shipped, client: str, bytes_a_second: int) -> Iterator[None]:
    throttle(one.servers.kafka, client, bytes_a_second)
    try:
        yield
    finally:
        throttle(one.servers.kafka, client, None)


def done(one: Shipped) -> int:
    return sum(one.done().values())


def test_slow_outputs_stop_the_fetch_of_scoring(shipped: dict[str, Shipped]) -> None:
    one = shipped["scoring"]
    with at_work(one) as worker:
        one.give(REMEMBERED, people=REMEMBERED)
        one.settled()
        worker.settled()
        with slow(one, f"{one.group}-one", 2_000_000):
            one.give(RECORDS, SIZE)
            some = REMEMBERED + 4_000
            stays_bounded(
                worker, lambda: done(one) > some and stood_still(worker, one.given), "scoring at work", one.given
            )
            assert done(one) < REMEMBERED + RECORDS / 2
        until(lambda: worker.look() and one.is_settled(), WAIT, "all to be scored", every=0.2)
        assert worker.peak - worker.idle < BOUND
        assert worker.peak < MOST
    scored = [seen.ce_id for seen in one.seen("leads.scored")]
    assert (len(scored), len(set(scored)), one.failed()) == (one.given, one.given, [])


def test_a_slow_ledger_and_then_a_slow_relay_stop_the_fetch_of_routing(shipped: dict[str, Shipped]) -> None:
    one = shipped["routing"]
    with (
        at_work(one, BATON_OUTBOX_MOST=str(OUTBOX_MOST)) as worker,
        psycopg.connect(one.servers.database, autocommit=True) as connection,
    ):
        one.give(400)
        one.settled()
        worker.settled()
        connection.execute(SLOW_LEDGER)
        one.give(RECORDS, SIZE, qualified=10)

        def felt_it() -> bool:
            return done(one) > 3_000 and stood_still(worker, one.given)

        stays_bounded(worker, felt_it, "routing on a slow ledger", one.given, BOUND + RELAY_BOUND)
        with slow(one, one.topic("baton-relay"), 300_000):
            connection.execute(QUICK_LEDGER)
            full = "the outbox is full"
            until(
                lambda: worker.look() and full in one.readiness()[1].get("routing.settling", ""), WAIT, full, every=0.2
            )
            assert done(one) < one.given
        until(lambda: worker.look() and one.is_settled(), WAIT, "all to be routed and published", every=0.2)
        assert worker.peak - worker.idle < BOUND + RELAY_BOUND
    assert one.failed() == []
    assert one.violations() == []
