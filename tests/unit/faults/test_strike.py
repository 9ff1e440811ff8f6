"""A strike counts where it is what it says: work in each stage that a server's fault is meant for, and at a wake."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.faults import acts, backlog, strike
from tests.faults import catalogue as c
from tests.faults.catalogue import Fault
from tests.faults.outcome import Struck
from tests.faults.progress import MARKERS
from tests.faults.site import STAGES
from tests.faults.workers import Worker

SCORING = "scoring"
FREEZE = Fault(c.FREEZE, SCORING, 0, 12.0)


class Hand(Worker):
    """A worker without a process, that remembers what it was told."""

    def __init__(self, instance: str) -> None:
        super().__init__(SCORING, instance, [], {}, None)  # type: ignore[arg-type]
        self.told: list[signal.Signals] = []
        self.there = True

    @property
    def alive(self) -> bool:
        return self.there

    def signal(self, what: signal.Signals) -> None:
        self.told.append(what)

    def kill(self) -> None:
        self.there = False


class Eyes:
    def __init__(self) -> None:
        self.left = {0: 900, 1: 900}

    def behind(self) -> dict[int, int]:
        return self.left


class Group:
    """What the broker and the feeders of a site say; of a stage with two workers."""

    def __init__(self) -> None:
        self.workers = [Hand("w0"), Hand("w1")]
        self.held: dict[str, set[int]] = {"w0": {0}, "w1": {1}}
        self.watches = {stage: Eyes() for stage in STAGES}
        self.bursts = 0
        self.crew = self.people = self

    def of(self, _: str) -> list[Hand]:
        return self.workers

    def owners(self, _: str) -> dict[str, set[int]]:
        return self.held

    def owned(self, worker: Worker) -> set[int]:
        return self.held.get(worker.instance, set())

    def burst(self, count: int) -> None:
        self.bursts += count

    def stages_of(self, some: Any) -> list[str]:
        return list(some)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    for module, name in ((backlog, "WORK_SECONDS"), (backlog, "HELD_SECONDS"), (strike, "STILL_SECONDS")):
        monkeypatch.setattr(module, name, 0.05)
    return Group()


def test_who_was_frozen_wakes_up_while_another_has_taken_over_and_has_work(site: Any) -> None:
    frozen, other = site.workers
    site.held = {"w1": {0, 1}}

    assert backlog.wake(site, SCORING, frozen, {0}) is None
    assert frozen.told == [signal.SIGCONT]
    assert other.told == [signal.SIGSTOP, signal.SIGCONT]
    assert site.bursts > 0


def test_a_wake_that_finds_nothing_left_does_not_count(site: Any) -> None:
    frozen, other = site.workers
    site.held, site.watches[SCORING].left = {"w1": {0, 1}}, {0: 8, 1: 3}

    assert "nothing was left" in str(backlog.wake(site, SCORING, frozen, {0}))
    assert frozen.told == other.told[1:] == [signal.SIGCONT]


@pytest.mark.parametrize("alive", [True, False])
def test_a_wake_before_others_have_taken_over_does_not_count(site: Any, alive: bool) -> None:
    frozen, other = site.workers
    other.there, site.held = alive, {"w0": {0}, "w1": {1}} if alive else {"w1": {0, 1}}

    assert "before others had its partitions" in str(backlog.wake(site, SCORING, frozen, {0}))
    assert frozen.told == [signal.SIGCONT]


def test_while_a_server_is_away_nobody_has_to_have_work_at_the_wake(site: Any) -> None:
    def mended(*beside: Fault) -> str | None:
        return acts.act(site, FREEZE, {0}, (FREEZE, *beside), print)()

    assert mended(Fault(c.BROKER_PAUSE, seconds=40.0)) is None
    assert site.bursts == 0
    assert mended(Fault(c.BROKER_PAUSE, seconds=10.0)) is not None


def test_one_of_several_is_killed_only_where_another_is_alive(site: Any) -> None:
    kill = Fault(c.KILL_ONE, SCORING, 0)
    assert acts.act(site, kill, {0}, (kill,), print) is acts.nothing

    site.workers[0].there, site.workers[1].there = True, False
    assert "no other worker" in str(acts.act(site, kill, {0}, (kill,), print)())


def test_who_has_nobody_beside_it_that_owns_partitions_is_not_hit(site: Any) -> None:
    for fault in (FREEZE, Fault(c.KILL_ONE, SCORING, 0)):
        assert strike._hit(site, fault, {"w0": {0}, "w1": {1}}) == {(SCORING, 0)}
        assert strike._hit(site, fault, {"w0": {0, 1}}) == set()


def test_a_server_that_is_hit_everywhere_must_find_work_in_each_stage(site: Any) -> None:
    broker, database = Fault(c.BROKER_KILL, seconds=1.0), Fault(c.DB_CRASH, seconds=1.0)
    all_of_them = {(stage, 0) for stage in STAGES}
    ledgers = {("routing", 3), ("sums in the ledger", 1)}

    assert strike._had_work(site, broker, all_of_them, everywhere=True)
    assert not strike._had_work(site, broker, all_of_them - {("ingest", 0)}, everywhere=True)
    assert strike._had_work(site, broker, {("routing", 0)}, everywhere=False)
    assert not strike._had_work(site, broker, set(), everywhere=False)
    assert strike._had_work(site, database, ledgers, everywhere=True)
    assert not strike._had_work(site, database, {("routing", 3)}, everywhere=True)


def test_it_is_said_whether_a_woken_worker_joined_again_or_ended(site: Any) -> None:
    def came_of_it() -> tuple[list[str], list[str], int]:
        struck = Struck((FREEZE,))
        strike._await_return(site, struck, site.workers[0], 0)
        return struck.rejoined, struck.ended, len(struck.wrong)

    assert came_of_it() == ([SCORING], [], 0)
    site.held = {"w1": {0, 1}}
    assert came_of_it() == ([], [], 1)
    site.workers[0].there = False
    assert came_of_it() == ([], [SCORING], 0)
    site.workers[0].there, site.workers[0].lives, site.held = True, 1, {"w0": {0}}
    assert came_of_it() == ([], [SCORING], 0)


def test_servers_are_mended_before_who_waits_for_them_and_last_who_waits_for_all() -> None:
    term, freeze_long = Fault(c.TERM, SCORING, 0, 1.0), Fault(c.FREEZE_LONG, SCORING, 1)
    pause, join = Fault(c.BROKER_PAUSE, seconds=10.0), Fault(c.JOIN, SCORING, 0, 3.0)

    def order(*together: Fault) -> list[Fault]:
        return sorted(together, key=lambda fault: strike.due(fault, together))

    assert order(term, pause) == [pause, term]
    assert order(FREEZE, term) == [term, FREEZE]
    assert order(freeze_long, pause) == [pause, freeze_long]
    assert order(freeze_long, join) == [join, freeze_long]
    assert order(FREEZE, pause) == [pause, FREEZE]


def test_what_may_be_ends_of_transactions_is_no_work(site: Any) -> None:
    eyes = site.watches[SCORING]
    eyes.left = {0: MARKERS, 1: MARKERS + 7}

    assert backlog.left(eyes) == 7
    assert backlog.left(eyes, {0}) == 0
    assert backlog.has_left(eyes, 6)
    assert not backlog.has_left(eyes, 7)
