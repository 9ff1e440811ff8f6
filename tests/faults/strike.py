"""Makes faults happen, and measures how long the partitions that they hit stand still."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from tests.faults import catalogue as c
from tests.faults.acts import CALM_SECONDS, Mend, act, nothing, victim
from tests.faults.catalogue import Fault
from tests.faults.patience import Patience, crowd, in_time
from tests.faults.progress import MARKERS, Recovered, Watch
from tests.faults.site import PATH_STAGES, STAGES, SUMS, Site

WORK_SECONDS = 30.0
STILL_SECONDS = 150.0
"""As long as a fault lasts, and what it hit may stand still after it."""
BURST = 500
"""People who come before a stage of the path is hit; three times as many at each further try."""
HELD_SECONDS = 4.0
LEFT = 100
"""So many records at least are left in the partitions of a worker that is hit, all together."""


@dataclass
class Struck:
    """What a fault did. Seconds: from the blow, and from its end, to the first commit of the last partition hit.

    `partitions` had work when it struck, by stage. `had_work`: so had some of those that each of them was meant for.
    """

    faults: Sequence[Fault]
    had_work: bool = False
    partitions: Counter[str] = field(default_factory=Counter)
    recovery: float | None = None
    after_end: float | None = None
    wrong: list[str] = field(default_factory=list)


def strike(site: Site, faults: Sequence[Fault], tries: int = 0) -> Struck:
    """Let `faults` happen at once while there is work; come back once everything that they hit works again.

    `tries`: how often there was no work for them.
    """
    struck = Struck(faults)
    try:
        feed(site, faults, BURST * 3**tries)
    except TimeoutError as error:
        struck.wrong.append(str(error))
        return struck
    hits = [_hit(site, fault) for fault in faults]
    ends = {place: _end(site, *place) for hit in hits for place in hit}
    began = time.monotonic()
    mends = [(fault, act(site, fault, len(faults) == 1, struck.wrong.append)) for fault in faults]
    blow = time.monotonic()
    # In this thread: what a thread starts with a parent's death signal, as the database, ends with the thread. Servers
    # come first, for who leaves waits for them.
    for fault, mend in sorted(mends, key=lambda one: (one[0].kind in c.LEAVING, one[0].seconds)):
        _mend_at(blow + fault.seconds, mend, struck)
    ended = time.monotonic()
    times = _await_recovery(site, struck, ends, began, blow)
    struck.partitions = Counter(stage for stage, _ in times)
    struck.had_work = all(times.keys() & hit for hit in hits)
    if times:
        last = max(times.values())
        struck.recovery, struck.after_end = last - began, max(0.0, last - ended)
    still = {stage: watch.still(STILL_SECONDS * crowd()) for stage, watch in site.watches.items()}
    struck.wrong += [f"nothing moves in {stage} {numbers}, hit or not" for stage, numbers in still.items() if numbers]
    return struck


def feed(site: Site, faults: Sequence[Fault], people: int = BURST) -> None:
    """See to it that there is work for the stage that is to be hit."""
    stages = {fault.stage for fault in faults if fault.stage}
    if any(fault.kind in c.OF_BROKER for fault in faults):
        stages |= {"routing"}
    owned: dict[str, set[int]] = {}
    for fault in faults:
        if fault.kind in c.ONE_WORKER:
            with suppress(TimeoutError):
                owned[fault.stage] = in_time(partial(_owned, site, fault), WORK_SECONDS, "it to be a member", every=0.3)
    for stage in stages & set(site.stages_of(PATH_STAGES)):
        with suppress(TimeoutError), _held(site, stage):
            if site.people is not None:
                site.people.burst(people)
            in_time(partial(_has_left, site.watches[stage], LEFT, owned.get(stage)), HELD_SECONDS, "work")
    for stage in site.stages_of(stages & SUMS.keys()) or site.stages_of(SUMS):
        watch = site.watches[stage]
        what = f"work for {stage} ({site.sums[stage]}; {watch.done()} done)"
        in_time(partial(_is_behind, watch, 500), WORK_SECONDS, what)
        if numbers := owned.get(stage):
            with suppress(TimeoutError):  # then there is none, and it does not count
                in_time(partial(_is_behind, watch, LEFT, numbers), WORK_SECONDS, f"{what} in {sorted(numbers)}")


@contextmanager
def _held(site: Site, stage: str) -> Iterator[None]:
    """Let the workers of a stage stand still, for less than would cost them their session, so that work piles up."""
    workers = site.crew.of(stage)
    try:
        for worker in workers:
            worker.signal(signal.SIGSTOP)
        yield
    finally:
        for worker in workers:
            worker.signal(signal.SIGCONT)


def _left(watch: Watch, numbers: set[int] | None) -> int:
    """Records left to do in these partitions, or in all; what may be ends of transactions does not count."""
    return sum(max(0, left - MARKERS) for n, left in watch.behind().items() if numbers is None or n in numbers)


def _has_left(watch: Watch, more_than: int, numbers: set[int] | None) -> bool:
    return _left(watch, numbers) > more_than


def _is_behind(watch: Watch, more_than: int, numbers: set[int] | None = None) -> bool:
    """Whether more records lie before a stage in these partitions, or in all, ends of transactions among them."""
    return sum(left for n, left in watch.behind().items() if numbers is None or n in numbers) > more_than


def _owned(site: Site, fault: Fault) -> set[int]:
    return site.owned(victim(site, fault))


def _hit(site: Site, fault: Fault) -> set[tuple[str, int]]:
    """Stages and partitions that a fault is meant for, where there is work in them."""
    stages: Sequence[str] = [fault.stage]
    numbers: set[int] | None = None
    if fault.kind in c.OF_BROKER:
        stages = STAGES
    elif fault.kind in c.ONE_WORKER:
        numbers = _owned(site, fault)
    found: set[tuple[str, int]] = set()
    for stage in site.stages_of(stages):
        for number, records in site.watches[stage].behind().items():
            # The three stages are too fast for that: whether there was work shows in what they have done afterwards.
            if (records > 0 or stage in PATH_STAGES) and (numbers is None or number in numbers):
                found.add((stage, number))
    return found


def _end(site: Site, stage: str, number: int) -> int:
    """Where the partition of a stage's source ends, so that what lies before it is work."""
    if stage == "ingest" and site.people is not None:
        return site.people.ends[number]
    return site.watches[stage].ends.get(number, 0) - (MARKERS if stage in PATH_STAGES else 0)


def _mend_at(moment: float, mend: Mend, struck: Struck) -> None:
    if mend is nothing:
        return
    time.sleep(max(0.0, moment - time.monotonic()))
    try:
        mend()
    except Exception as error:  # noqa: BLE001 it becomes a violation
        struck.wrong.append(f"{', '.join(map(str, struck.faults))}: {error!r}")


def _await_recovery(
    site: Site, struck: Struck, ends: dict[tuple[str, int], int], began: float, blow: float
) -> dict[tuple[str, int], float]:
    """When each partition that had work was worked on again.

    `began`: before the blow, when work counts; `blow`: after it, from when what is done counts as recovery.
    """
    patience = Patience(CALM_SECONDS)
    while True:
        found = {at: _recovered(site.watches[at[0]], at[1], began, blow, end) for at, end in ends.items()}
        if all(one.at is not None or not one.had_work for one in found.values()):
            break
        if patience.over:
            names = sorted(f"{stage} {n}" for (stage, n), one in found.items() if one.had_work and one.at is None)
            struck.wrong.append(f"{patience.waited:.0f} s after its end nothing moves in {', '.join(names)}")
            return {}
        time.sleep(0.1)
    return {at: one.at for at, one in found.items() if one.at is not None}


def _recovered(watch: Watch, number: int, began: float, blow: float, end: int) -> Recovered:
    if not watch.recovered(number, began, end).had_work:
        return Recovered(had_work=False)
    found = watch.recovered(number, blow, end)
    return found if found.had_work else Recovered(had_work=True, at=blow)  # done before whoever was told to had left
