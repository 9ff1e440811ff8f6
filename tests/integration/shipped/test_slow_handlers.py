"""The handler of each of the three stages takes longer than it may, and every event is settled once all the same."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from baton import wiring
from streaming.faust.app import make_app
from streaming.stage import Batch, Stage
from tests.integration.engine.kafka_driver import Running
from tests.integration.shipped.stages import PARTITIONS, PEOPLE, WAIT, Shipped
from tests.integration.up.installation import SOURCES
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

SESSION, POLL = 6.0, 14.0
"""Seconds: what a broker takes at least, and so much more that there is time to look at what happens between them."""
BY_KAFKA, BY_LEDGER = "(round refused|session lost)", "(overtaken|terminating connection)"
REFUSED = {"ingest": BY_KAFKA, "scoring": BY_KAFKA, "routing": BY_LEDGER}
"""What the worker says whose round is another one's by now: the group refuses it or a fenced producer; the ledger
finds its positions moved on, or has ended its transaction, which held rows that others waited for."""


class Slow:
    """A worker of a stage as it ships, in this process, whose handler can be held up, beside another as a process."""

    def __init__(self, of: Shipped) -> None:
        self.of, self.stage = of, of.make_stage()
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        settings = wiring.engine_settings(of.settings, of.name)
        settings = dataclasses.replace(
            settings, instance="slow", session_timeout_seconds=SESSION, poll_interval_seconds=POLL
        )
        if of.name == "routing":
            settings = dataclasses.replace(settings, max_records=wiring.ROUND)
        stage: Stage = dataclasses.replace(self.stage, handler=self.handle)
        of.start("other")
        self.running = Running(make_app(stage, settings))

    def handle(self, batch: Batch[object]) -> None:
        if not self.go_on.is_set():
            self.entered.set()
            assert self.go_on.wait(WAIT)
        self.stage.handler(batch)

    @property
    def sessions(self) -> int:
        [engine] = self.running.app.engines
        return engine.sessions

    def owned(self, instance: str = "slow") -> set[int]:
        """Partitions that the group says are this worker's."""
        return self.of.owned().get(instance, set())

    def both_work(self) -> bool:
        return len(self.owned()) == len(self.owned("other")) == PARTITIONS // 2


@pytest.fixture
def slow(shipped: dict[str, Shipped]) -> Iterator[dict[str, Slow]]:
    """Both workers of each stage have half of the partitions, and have done what came first."""
    found: dict[str, Slow] = {}
    try:
        for name, of in shipped.items():
            found[name] = Slow(of)
        for name, one in found.items():
            until(one.both_work, WAIT, f"both workers of {name} to have partitions", every=0.3)
            one.of.give(PEOPLE)
        for one in found.values():
            one.of.settled()
        yield found
    finally:
        for one in found.values():
            one.go_on.set()
        for one in found.values():
            one.running.stop()


def hold_up(slow: dict[str, Slow]) -> None:
    """Work for both workers of each stage; the slow one is in the middle of its share."""
    for one in slow.values():
        one.go_on.clear()
        one.entered.clear()
        one.of.give(PEOPLE)
    for name, one in slow.items():
        assert one.entered.wait(WAIT), name


def all_is_well(slow: dict[str, Slow]) -> None:
    for one in slow.values():
        one.of.settled()
        assert one.of.failed() == []
        assert one.of.violations() == []
        one.running.check()


def test_a_slow_handler_keeps_its_partitions_for_a_poll_interval_and_then_settles_nothing(
    slow: dict[str, Slow], caplog: pytest.LogCaptureFixture
) -> None:
    hold_up(slow)
    started = monotonic()
    until(lambda: monotonic() > started + SESSION * 1.25, WAIT, "the end of a session without heartbeats")
    for one in slow.values():
        mine = one.owned()
        assert one.both_work()
        assert [one.of.done()[n] for n in mine] == [PEOPLE // PARTITIONS] * len(mine)
        one.go_on.set()
    all_is_well(slow)
    assert {name: one.sessions for name, one in slow.items()} == dict.fromkeys(SOURCES, 1)
    assert not re.search("|".join(REFUSED.values()), caplog.text)

    hold_up(slow)
    for one in slow.values():
        one.of.settled()  # by the other one, what the slow one has in hand included
        assert one.owned() == set()
        one.go_on.set()
    for name, one in slow.items():
        until(one.both_work, WAIT, f"the slow worker of {name} to have partitions again", every=0.3)
        assert re.search(f"{name}: {REFUSED[name]}", caplog.text), name
        one.of.give(PEOPLE)
    all_is_well(slow)
