"""Makes faults happen, and measures how long the partitions that they hit stand still."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.faults import catalogue as c
from tests.faults.catalogue import Fault
from tests.faults.patience import Patience, crowd, in_time
from tests.faults.progress import MARKERS
from tests.faults.site import PATH_STAGES, STAGES, SUMS, Site
from tests.faults.workers import Worker

WORK_SECONDS, CALM_SECONDS = 30.0, 180.0
STILL_SECONDS = 150.0
"""As long as a fault lasts, and what it hit may stand still after it."""
BURST = 500
"""People who come before a stage of the path is hit; three times as many at each further try."""

Mend = Callable[[], object]


@dataclass
class Struck:
    """What a fault did. Seconds: from the blow, and from its end, to the first commit of the last partition hit."""

    faults: Sequence[Fault]
    had_work: bool = False
    partitions: int = 0
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
    hit = _hit(site, faults)
    ends = {(stage, n): _end(site, stage, n) for stage, numbers in hit.items() for n in numbers}
    began = time.monotonic()
    mends = [(fault.seconds, _act(site, fault, struck)) for fault in faults]
    blow = time.monotonic()
    # In this thread: what a thread starts with a parent's death signal, as the database, ends with the thread.
    for seconds, mend in sorted(mends, key=lambda one: one[0]):
        _mend_at(blow + seconds, mend, struck)
    ended = time.monotonic()
    _await_recovery(site, struck, ends, began, blow, ended)
    still = {stage: watch.still(STILL_SECONDS * crowd()) for stage, watch in site.watches.items()}
    struck.wrong += [f"nothing moves in {stage} {numbers}, hit or not" for stage, numbers in still.items() if numbers]
    return struck


def feed(site: Site, faults: Sequence[Fault], people: int = BURST) -> None:
    """See to it that there is work for the stage that is to be hit."""
    stages = {fault.stage for fault in faults if fault.stage}
    if any(fault.kind in c.OF_BROKER | c.OF_DATABASE for fault in faults):
        stages |= {"routing"}
    for fault in faults:
        if fault.kind in c.ONE_WORKER:
            with suppress(TimeoutError):
                in_time(
                    lambda fault=fault: site.owned(_victim(site, fault)), WORK_SECONDS, "it to be a member", every=0.3
                )  # type: ignore[misc]
    for stage in stages & set(site.stages_of(PATH_STAGES)):
        if site.people is not None:
            site.people.burst(people)
        with suppress(TimeoutError):
            in_time(lambda stage=stage: max(site.watches[stage].behind().values(), default=0) > MARKERS, 3, "work")  # type: ignore[misc]
    for stage in site.stages_of(stages & SUMS.keys()) or site.stages_of(SUMS):
        watch = site.watches[stage]
        what = f"work for {stage} ({site.sums[stage]}; {watch.done()} done)"
        in_time(lambda watch=watch: sum(watch.behind().values()) > 500, WORK_SECONDS, what)  # type: ignore[misc]


def _hit(site: Site, faults: Sequence[Fault]) -> dict[str, set[int]]:
    """Partitions that the faults strike, where there is work in them."""
    found: dict[str, set[int]] = {}
    for fault in faults:
        if fault.kind in c.OF_BROKER:
            stages = dict.fromkeys(STAGES)
        elif fault.kind in (c.DB_RESTART, c.DB_CRASH, c.DB_CUT):
            stages = dict.fromkeys(c.IN_LEDGER)
        elif fault.kind == c.DB_LOCK:
            stages = {stage: None for stage, name in c.LEDGERS.items() if fault.what.startswith(name)}
        elif fault.kind in c.ONE_WORKER:
            stages = {fault.stage: site.owned(_victim(site, fault))}
        else:
            stages = {fault.stage: None}
        for stage, numbers in stages.items():
            if stage not in site.stages:
                continue
            behind = site.watches[stage].behind()
            # The three stages are too fast for that: whether there was work shows in what they have done afterwards.
            with_work = {n for n, records in behind.items() if records > 0 or stage in PATH_STAGES}
            found[stage] = found.get(stage, set()) | (with_work if numbers is None else with_work & numbers)
    return found


def _end(site: Site, stage: str, number: int) -> int:
    """Where the partition of a stage's source ends, so that what lies before it is work."""
    if stage == "ingest" and site.people is not None:
        return site.people.ends[number]
    return site.watches[stage].ends.get(number, 0) - (MARKERS if stage in PATH_STAGES else 0)


def _victim(site: Site, fault: Fault) -> Worker:
    workers = site.crew.of(fault.stage)
    return workers[fault.victim % len(workers)]


def _nothing() -> None:
    """It ends by itself."""


def _act(site: Site, fault: Fault, struck: Struck) -> Mend:  # noqa: C901 a list of kinds
    crew = site.crew
    match fault.kind:
        case c.KILL_ONE:
            _victim(site, fault).kill()
        case c.KILL_ALL:
            with crew.lock:
                for worker in crew.of(fault.stage):
                    worker.signal(signal.SIGKILL)
        case c.TERM:
            worker = _victim(site, fault)
            alone = len(struck.faults) == 1
            code = worker.leave()
            if alone and code != 0:
                struck.wrong.append(f"{fault.stage} {worker.instance} ended with {code} on SIGTERM")
            return lambda: _again(site, [worker])
        case c.JOIN:
            extra = site.worker(fault.stage, "extra")
            crew.add(extra)
            return lambda: _leave(site, extra, struck)
        case c.EMPTY:
            workers = crew.of(fault.stage)
            leaving = [threading.Thread(target=worker.leave) for worker in workers]
            for thread in leaving:
                thread.start()
            for thread in leaving:
                thread.join()
            return lambda: _again(site, workers)
        case c.FREEZE:
            worker = _victim(site, fault)
            worker.signal(signal.SIGSTOP)
            return lambda: worker.signal(signal.SIGCONT)
        case c.FREEZE_LONG:
            worker = _victim(site, fault)
            worker.signal(signal.SIGSTOP)
            return lambda: _wake_when_done(site, fault, worker)
        case c.SLOW:
            worker = _victim(site, fault)
            (site.folder(fault.stage) / f"{worker.instance}.slow").write_text(str(fault.seconds))
        case c.BROKER_STOP:
            site.node.stop()
            return site.node.start
        case c.BROKER_KILL:
            site.node.kill()
            return site.node.start
        case c.BROKER_PAUSE:
            site.node.pause()
            return site.node.resume
        case c.TOPIC:
            site.delete_side_topic()
            return site.make_side_topic
        case c.DB_RESTART:
            site.database.stop()
            return site.database.start
        case c.DB_CRASH:
            site.database.crash()
            return site.database.start
        case c.DB_CUT:
            site.database.cut()
        case c.DB_LOCK:
            name, table = fault.what.split(".")
            thread = threading.Thread(target=site.database.hold, args=(name, table, fault.seconds))
            thread.start()
            return thread.join
        case _:
            raise AssertionError(fault.kind)
    return _nothing


def _again(site: Site, workers: Sequence[Worker]) -> None:
    with site.crew.lock:
        for worker in workers:
            worker.start()


def _leave(site: Site, extra: Worker, struck: Struck) -> None:
    code = extra.leave()
    site.crew.remove(extra)
    if code not in (0, -signal.SIGTERM) and len(struck.faults) == 1:  # it may not have come to listen to signals yet
        struck.wrong.append(f"{extra.stage} {extra.instance} ended with {code} on SIGTERM")


def _wake_when_done(site: Site, fault: Fault, worker: Worker) -> None:
    feeder, watch = site.sums[fault.stage], site.watches[fault.stage]
    feeder.rest.set()
    try:
        in_time(lambda: watch.done() == feeder.sent, CALM_SECONDS, "the others to do all that is left", every=0.2)
    finally:
        worker.signal(signal.SIGCONT)
        time.sleep(2)  # the time in which a woken worker would do harm; nothing is waited for
        feeder.rest.clear()


def _mend_at(moment: float, mend: Mend, struck: Struck) -> None:
    if mend is _nothing:
        return
    time.sleep(max(0.0, moment - time.monotonic()))
    try:
        mend()
    except Exception as error:  # noqa: BLE001 it becomes a violation
        struck.wrong.append(f"{', '.join(map(str, struck.faults))}: {error!r}")


def _await_recovery(
    site: Site, struck: Struck, ends: dict[tuple[str, int], int], began: float, blow: float, ended: float
) -> None:
    patience = Patience(CALM_SECONDS)
    while True:
        found = {at: site.watches[at[0]].recovered(at[1], blow, end) for at, end in ends.items()}
        if all(one.at is not None or not one.had_work for one in found.values()):
            break
        if patience.over:
            names = sorted(f"{stage} {n}" for (stage, n), one in found.items() if one.had_work and one.at is None)
            struck.wrong.append(f"{patience.waited:.0f} s after its end nothing moves in {', '.join(names)}")
            return
        time.sleep(0.1)
    times = [one.at for one in found.values() if one.at is not None]
    struck.had_work, struck.partitions = bool(times), len(times)
    if times:
        struck.recovery, struck.after_end = max(times) - began, max(0.0, max(times) - ended)
