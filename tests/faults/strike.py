"""Makes faults happen, and measures how long the partitions that they hit stand still."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial

from tests.faults import catalogue as c
from tests.faults.acts import CALM_SECONDS, Mend, act, nothing, others, victim
from tests.faults.backlog import BURST, LEFT, LEFT_OF_SUMS, WORK_SECONDS, has_left, pile_up
from tests.faults.catalogue import Fault
from tests.faults.outcome import Struck
from tests.faults.patience import Patience, crowd, in_time
from tests.faults.progress import MARKERS, Recovered, Watch
from tests.faults.site import PATH_STAGES, SUMS, Site
from tests.faults.workers import Worker

STILL_SECONDS = 150.0
"""As long as a fault lasts, and what it hit may stand still after it."""


def strike(site: Site, faults: Sequence[Fault], tries: int = 0, *, everywhere: bool = False) -> Struck:
    """Let `faults` happen at once while there is work; come back once everything that they hit works again.

    `tries`: how often there was no work for them. `everywhere`: what is left counts for a server's fault only where
    each stage that it is meant for has some; else one is enough.
    """
    struck = Struck(faults)
    try:
        owners = feed(site, faults, BURST * 3**tries)
    except TimeoutError as error:
        struck.wrong.append(str(error))
        return struck
    hits = {fault: _hit(site, fault, owners.get(fault.stage, {})) for fault in faults}
    ends = {place: _end(site, *place) for hit in hits.values() for place in hit}
    stuck = [(worker, worker.lives) for worker in (victim(site, fault) for fault in faults if fault.loses_partitions)]
    began = time.monotonic()
    mends = []
    for fault in sorted(faults, key=lambda one: one.kind != c.TOPIC):  # to delete one takes a broker
        owned = _owned(site, fault, owners.get(fault.stage, {}))
        mends.append((fault, act(site, fault, owned, faults, struck.wrong.append)))
    blow = time.monotonic()
    # In this thread: what a thread starts with a parent's death signal, as the database, ends with the thread.
    for fault, mend in sorted(mends, key=lambda one: due(one[0], faults)):
        _mend_at(blow + fault.seconds, mend, struck)
    ended = time.monotonic()
    times = _await_recovery(site, struck, ends, began, blow)
    struck.partitions = Counter(stage for stage, _ in times)
    struck.had_work = not struck.hollow and all(
        _had_work(site, fault, times.keys() & hit, everywhere) for fault, hit in hits.items()
    )
    if times:
        last = max(times.values())
        struck.recovery, struck.after_end = last - began, max(0.0, last - ended)
    for worker, lives in stuck:
        _await_return(site, struck, worker, lives)
    still = {stage: watch.still(STILL_SECONDS * crowd()) for stage, watch in site.watches.items()}
    struck.wrong += [f"nothing moves in {stage} {numbers}, hit or not" for stage, numbers in still.items() if numbers]
    return struck


def due(fault: Fault, together: Sequence[Fault]) -> tuple[float, bool]:
    """Where the mend of a fault stands among those of all that struck together: the least first.

    Who leaves, or makes a topic, waits for the servers; who is frozen until all is done waits for everybody.
    """
    servers = max((one.seconds for one in together if one.kind in c.OF_SERVERS), default=0.0)
    if fault.kind == c.FREEZE_LONG:
        return math.inf, True
    waits = fault.kind in c.LEAVING or fault.kind == c.TOPIC
    return (max(fault.seconds, servers) if waits else fault.seconds), waits


Owners = Mapping[str, set[int]]
"""Partitions of the workers of a stage, by instance."""


def feed(site: Site, faults: Sequence[Fault], people: int = BURST) -> dict[str, Owners]:
    """See to it that there is work for the stages that are to be hit, all at once.

    Gives who owns what, by stage, where it is one worker's fault: to ask takes a while, and work is done meanwhile.
    """
    stages = {stage for fault in faults for stage in c.meant_for(fault)}
    owners: dict[str, Owners] = {}
    owned: dict[str, set[int]] = {}
    for fault in faults:
        if fault.kind in c.ONE_WORKER:
            owners[fault.stage] = _several_owners(site, fault)
            owned[fault.stage] = owned.get(fault.stage, set()) | _owned(site, fault, owners[fault.stage])
    for stage in site.stages_of(stages & SUMS.keys()) or site.stages_of(SUMS):
        watch = site.watches[stage]
        what = f"work for {stage} ({site.sums[stage]}; {watch.done()} done)"
        in_time(partial(has_left, watch, LEFT_OF_SUMS), WORK_SECONDS, what)
        if numbers := owned.get(stage):
            with suppress(TimeoutError):  # then there is none, and it does not count
                in_time(partial(has_left, watch, LEFT, numbers), WORK_SECONDS, f"{what} in {sorted(numbers)}")
    if path := site.stages_of(stages & PATH_STAGES.keys()):
        pile_up(site, path, people, owned)
    return owners


def _several_owners(site: Site, fault: Fault) -> Owners:
    """Who owns what, once the worker that is to be hit and another one of its stage do; or how it is after a while."""
    seen: dict[str, set[int]] = {}

    def several() -> bool:
        seen.clear()
        seen.update(site.owners(fault.stage))
        return bool(_owned(site, fault, seen)) and _others_own(site, fault, seen)

    with suppress(TimeoutError):
        in_time(several, WORK_SECONDS, "two members", every=0.3)
    return seen


def _owned(site: Site, fault: Fault, owners: Owners) -> set[int]:
    return owners.get(victim(site, fault).instance, set()) if fault.kind in c.ONE_WORKER else set()


def _others_own(site: Site, fault: Fault, owners: Owners) -> bool:
    return any(worker.alive and owners.get(worker.instance) for worker in others(site, fault))


def _hit(site: Site, fault: Fault, owners: Owners) -> set[tuple[str, int]]:
    """Stages and partitions that a fault is meant for, where there is work in them."""
    numbers = _owned(site, fault, owners) if fault.kind in c.ONE_WORKER else None
    if fault.kind in (c.KILL_ONE, c.FREEZE) and not _others_own(site, fault, owners):
        return set()  # of several, it says
    found: set[tuple[str, int]] = set()
    for stage in site.stages_of(c.meant_for(fault)):
        for number, records in site.watches[stage].behind().items():
            # The three stages are too fast for that: whether there was work shows in what they have done afterwards.
            if (records > 0 or stage in PATH_STAGES) and (numbers is None or number in numbers):
                found.add((stage, number))
    return found


def _had_work(site: Site, fault: Fault, hit: AbstractSet[tuple[str, int]], everywhere: bool) -> bool:
    """`hit`: partitions that the fault was meant for and that had work."""
    if everywhere and fault.kind in c.OF_SERVERS:
        return {stage for stage, _ in hit} == set(site.stages_of(c.meant_for(fault)))
    return bool(hit)


def _await_return(site: Site, struck: Struck, worker: Worker, lives: int) -> None:
    """Wait until a worker that was frozen or slow has partitions again, and see whether it is the same process."""

    def is_another() -> bool:
        return worker.lives != lives or not worker.alive

    try:
        in_time(lambda: is_another() or site.owned(worker), STILL_SECONDS, "it to be back", every=0.3)
    except TimeoutError:
        struck.wrong.append(f"{worker.stage} {worker.instance} woke up, and has neither partitions nor ended")
    else:
        (struck.ended if is_another() else struck.rejoined).append(worker.stage)


def _end(site: Site, stage: str, number: int) -> int:
    """Where the partition of a stage's source ends, so that what lies before it is work."""
    if stage == "ingest" and site.people is not None:  # no transactions; and the feeder may not have heard of the last
        return max(site.people.ends[number], site.watches[stage].ends.get(number, 0))
    return site.watches[stage].ends.get(number, 0) - (MARKERS if stage in PATH_STAGES else 0)


def _mend_at(moment: float, mend: Mend, struck: Struck) -> None:
    if mend is nothing:
        return
    time.sleep(max(0.0, moment - time.monotonic()))
    try:
        hollow = mend()
    except Exception as error:  # noqa: BLE001 it becomes a violation
        struck.wrong.append(f"{', '.join(map(str, struck.faults))}: {error!r}")
    else:
        struck.hollow += [hollow] if hollow else []


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
