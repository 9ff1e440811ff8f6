from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import pytest

from services.routing.ledger import Ledger
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import PublisherLost
from services.routing.relay import Relay
from services.routing.watch import RelayWatch
from streaming.metrics import REGISTRY
from tests.integration.routing.desk import feed, runner
from tests.unit.routing import world
from tests.waiting import until

pytestmark = pytest.mark.postgres


@dataclass
class Clock:
    """Monotonic seconds, and as many more as the test lets pass."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


@dataclass
class FakePublisher:
    """Refuses the first rounds."""

    refusals: int = 0
    published: list[Waiting] = field(default_factory=list)
    tries: int = 0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def in_doubt(self) -> bool:
        return False

    def positions(self, _lanes: Collection[int]) -> dict[int, int]:
        return {}

    def publish(self, records: Sequence[Waiting], _nexts: Mapping[int, int]) -> None:
        self.tries += 1
        if self.tries <= self.refusals:
            raise PublisherLost("the broker refuses")
        self.published += records


def grow_old(ledger: Ledger) -> None:
    with ledger.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE outbox SET written_at = now() - interval '90 seconds'")


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_what_waits_in_the_outbox_is_measured(ledger: Ledger) -> None:
    watch = RelayWatch(ledger, Relay(ledger, "relay", lambda _: FakePublisher()))
    feed(runner(ledger, world.plan()), *(world.lead(f"lead-{number}") for number in range(3)))
    grow_old(ledger)
    watch.look()

    assert 6 == gauge("baton_outbox_records")  # each lead: the queue's record and the assignment's
    assert 90 <= gauge("baton_outbox_oldest_seconds") < 120


def test_a_relay_that_cannot_publish_is_told_of_while_records_wait_and_no_longer(ledger: Ledger) -> None:
    clock, publisher = Clock(), FakePublisher(refusals=10**9)
    relay = Relay(ledger, "relay", lambda _: publisher)
    watch = RelayWatch(ledger, relay, clock)
    feed(runner(ledger, world.plan()), world.lead("lena"))
    grow_old(ledger)
    relay.start()
    until(lambda: bool(relay.trouble), 10, "trouble")
    at_first = watch.why()
    clock.ahead = 11
    watch.look()
    later = watch.why()
    publisher.refusals = 0
    until(lambda: bool(publisher.published) and not relay.trouble, 15, "the relay to get on")
    clock.ahead = 0
    relay.stop()
    after = watch.why()

    assert "" == at_first == after
    assert later.startswith(
        "the relay does not get on: PublisherLost: the broker refuses; 2 records wait, the oldest for "
    )


def test_a_relay_without_anything_to_publish_is_late_with_nothing(ledger: Ledger) -> None:
    clock = Clock()
    watch = RelayWatch(ledger, Relay(ledger, "relay", lambda _: FakePublisher()), clock)
    clock.ahead = 11
    watch.look()

    assert "" == watch.why()


def test_where_nobody_can_look_the_relay_is_not_taken_to_be_well(ledger: Ledger) -> None:
    clock = Clock()
    watch = RelayWatch(ledger, Relay(ledger, "relay", lambda _: FakePublisher()), clock)
    watch.look()
    clock.ahead = 11

    assert watch.why().endswith("a call has not come back; the outbox cannot be looked at")


def test_a_relay_that_waits_for_the_lock_is_well(ledger: Ledger) -> None:
    first, second = (Relay(ledger, "relay", lambda _: FakePublisher()) for _ in range(2))
    first.start()
    until(lambda: first.leading, 10, "the first to lead")
    before = second.well_at
    second.start()
    until(lambda: second.well_at > before, 10, "the second to find the lock taken")
    leading = second.leading
    second.stop()
    first.stop()

    assert not leading


def test_faults_that_are_over_do_not_lengthen_the_next_wait(ledger: Ledger) -> None:
    publisher = FakePublisher(refusals=2)
    relay = Relay(ledger, "relay", lambda _: publisher)
    feed(runner(ledger, world.plan()), world.lead("lena"))
    relay.start()
    until(lambda: bool(publisher.published) and not relay.trouble, 15, "the relay to get on")
    relay.stop()

    assert 0 == relay._failures
