"""Of several relays one works at a time, and one that does not get on is replaced."""

from __future__ import annotations

from zlib import crc32

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.routing import relay as routing_relay
from services.routing.ledger import Ledger
from services.routing.relay import Relay
from tests.integration.routing.desk import feed, runner
from tests.integration.routing.relays import FakeKafka, empty, written
from tests.unit.routing import world
from tests.waiting import until

pytestmark = pytest.mark.postgres


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
