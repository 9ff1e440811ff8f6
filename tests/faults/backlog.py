"""Sees to it that work is left in a stage at a certain moment: when a fault strikes, when who was frozen wakes up."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from tests.faults.patience import in_time
from tests.faults.progress import MARKERS, Watch
from tests.faults.site import PATH_STAGES, SUMS, Site
from tests.faults.workers import Worker
from tests.waiting import until

WORK_SECONDS = 30.0
BURST = 500
"""People who come before a stage of the path is hit; three times as many at each further try."""
HELD_SECONDS = 8.0
"""Workers of the path stand still for no longer, however crowded it is: their sessions last for 10 s."""
LEFT = 100
"""So many records at least are left in the partitions of a worker that is hit, all together."""
LEFT_OF_SUMS = 500


def left(watch: Watch, numbers: set[int] | None = None) -> int:
    """Records left to do in these partitions, or in all; what may be ends of transactions does not count."""
    return sum(max(0, left - MARKERS) for n, left in watch.behind().items() if numbers is None or n in numbers)


def has_left(watch: Watch, more_than: int, numbers: set[int] | None = None) -> bool:
    return left(watch, numbers) > more_than


@contextmanager
def held(workers: Sequence[Worker]) -> Iterator[None]:
    """Let workers stand still, for less than would cost them their session, so that work piles up."""
    try:
        for worker in workers:
            worker.signal(signal.SIGSTOP)
        yield
    finally:
        for worker in workers:
            worker.signal(signal.SIGCONT)


def pile_up(site: Site, stages: Iterable[str], people: int, of: Mapping[str, set[int]]) -> None:
    """Let work pile up in stages of the path, all at once; `of`: the partitions of a stage that matter.

    The last of them is held up first, so that what passes through those before it gathers there.
    """
    assert site.people is not None
    deadline = time.monotonic() + HELD_SECONDS
    with ExitStack() as stack, suppress(TimeoutError):
        for stage in sorted(stages, key=list(PATH_STAGES).index, reverse=True):
            stack.enter_context(held(site.crew.of(stage)))
            site.people.burst(people)
            watch, numbers = site.watches[stage], of.get(stage)
            # On the clock, and with no patience for a crowd: nor has the broker.
            until(partial(has_left, watch, LEFT, numbers), deadline - time.monotonic(), "work")


def wake(site: Site, stage: str, worker: Worker, lost: set[int]) -> str | None:
    """Let a frozen worker go on while the others of its stage have work; why they have none, where that is so.

    `lost`: its partitions when it was frozen, of which the others must have all by now.
    """
    others = [one for one in site.crew.of(stage) if one is not worker]
    try:
        try:
            in_time(lambda: lost <= _owned_by(site, stage, others), WORK_SECONDS, "others to take over", every=0.3)
        except TimeoutError:
            return f"it woke up before others had its partitions {sorted(lost)}"
        watch = site.watches[stage]
        if stage in SUMS:
            with suppress(TimeoutError):
                in_time(partial(has_left, watch, LEFT_OF_SUMS), WORK_SECONDS, "work")
            found = left(watch)
        else:
            with held(others), suppress(TimeoutError):
                assert site.people is not None
                site.people.burst(BURST)
                until(partial(has_left, watch, LEFT), HELD_SECONDS, "work")
            found = left(watch)
    finally:
        worker.signal(signal.SIGCONT)
    return None if found > 0 else "it woke up when nothing was left to do"


def _owned_by(site: Site, stage: str, workers: Sequence[Worker]) -> set[int]:
    owners = site.owners(stage)
    return {number for one in workers if one.alive for number in owners.get(one.instance, ())}
