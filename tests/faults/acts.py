"""What each kind of fault does to a site, and what mends it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

from kafka.errors import KafkaError, TopicAlreadyExistsError

from tests.faults import catalogue as c
from tests.faults.backlog import wake
from tests.faults.catalogue import Fault
from tests.faults.patience import in_time
from tests.faults.progress import MARKERS
from tests.faults.site import Site
from tests.faults.workers import Worker

CALM_SECONDS = 180.0
REST_SECONDS = 2.0
JOIN_SECONDS = 60.0
EXTRA = "extra"
"""The worker that joins and leaves; no other fault hits it alone."""

Mend = Callable[[], str | None]
"""Gives why the fault was not what it says, and so does not count; None where it was."""
Say = Callable[[str], object]
"""Takes what is wrong, in a sentence."""


def victim(site: Site, fault: Fault) -> Worker:
    """The worker that a fault strikes."""
    workers = [worker for worker in site.crew.of(fault.stage) if worker.instance != EXTRA]
    return workers[fault.victim % len(workers)]


def others(site: Site, fault: Fault) -> list[Worker]:
    """The rest of its stage."""
    struck = victim(site, fault)
    return [worker for worker in site.crew.of(fault.stage) if worker is not struck]


def nothing() -> None:
    """It ends by itself."""


def act(  # noqa: C901 a list of kinds
    site: Site, fault: Fault, owned: set[int], together: Sequence[Fault], say: Say
) -> Mend:
    """Let `fault` happen, one of those that strike `together`; gives what mends it.

    `owned`: partitions of the worker that it hits. Where it is alone, all that it hits must end well.
    """
    crew, alone = site.crew, len(together) == 1
    match fault.kind:
        case c.KILL_ONE:
            alive = any(worker.alive for worker in others(site, fault))
            victim(site, fault).kill()
            if not alive:
                return lambda: "no other worker of the stage was alive"
        case c.KILL_ALL:
            with crew.lock:
                for worker in crew.of(fault.stage):
                    worker.signal(signal.SIGKILL)
        case c.TERM:
            return _sent_away(site, [victim(site, fault)], alone, say)
        case c.JOIN:
            extra = site.worker(fault.stage, EXTRA)
            crew.add(extra)
            return lambda: _leave(site, extra, alone, say)
        case c.EMPTY:
            return _sent_away(site, crew.of(fault.stage), alone, say)
        case c.FREEZE:
            worker = victim(site, fault)
            worker.signal(signal.SIGSTOP)
            # While a server is away, nobody works.
            if any(one.kind in c.OF_SERVERS and one.seconds >= fault.seconds for one in together):
                return lambda: worker.signal(signal.SIGCONT)
            return lambda: wake(site, fault.stage, worker, owned)
        case c.FREEZE_LONG:
            worker = victim(site, fault)
            worker.signal(signal.SIGSTOP)
            return lambda: _wake_when_done(site, fault.stage, worker)
        case c.SLOW:
            worker = victim(site, fault)
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
            site.delete_side_topic(fault.stage)
            return lambda: _make_topic(site, fault.stage)
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
    return nothing


def _sent_away(site: Site, workers: Sequence[Worker], alone: bool, say: Say) -> Mend:
    """Ask workers to leave, which those that are there must do well, and start them again once they have."""
    there = [worker for worker in workers if worker.alive]
    for worker in workers:
        worker.ask_to_leave()

    def again() -> None:
        for worker in workers:
            code = worker.left()
            if alone and worker in there:
                _judge(worker, code, say)
        with site.crew.lock:
            for worker in workers:
                worker.start()

    return again


def _judge(worker: Worker, code: int | None, say: Say) -> None:
    if code not in (0, -signal.SIGTERM):  # it may not have come to listen to signals yet
        say(f"{worker.stage} {worker.instance} ended with {code} on SIGTERM")


def _leave(site: Site, extra: Worker, alone: bool, say: Say) -> str | None:
    """Once it had a partition: else it neither joined nor left."""
    hollow = None
    try:
        in_time(lambda: site.owned(extra), JOIN_SECONDS, "a partition for who joined", every=0.3)
    except TimeoutError as error:
        hollow = str(error)
    code = extra.leave()
    site.crew.remove(extra)
    if alone:
        _judge(extra, code, say)
    return hollow


def _make_topic(site: Site, stage: str) -> None:
    """Again, until the broker takes it, which may have been away."""

    def made() -> bool:
        try:
            site.make_side_topic(stage)
        except TopicAlreadyExistsError:
            return True
        except KafkaError:
            return False
        return True

    in_time(made, CALM_SECONDS, f"the output's topic of {stage} to be made", every=0.5)


def _wake_when_done(site: Site, stage: str, worker: Worker) -> None:
    feeder = site.sums.get(stage) or site.people
    assert feeder is not None
    feeder.rest.set()
    try:
        in_time(lambda: is_done(site, stage), CALM_SECONDS, f"the others to do all that is left of {stage}", every=0.2)
    finally:
        worker.signal(signal.SIGCONT)
        time.sleep(2)  # the time in which a woken worker would do harm; nothing is waited for
        feeder.rest.clear()


def is_done(site: Site, stage: str) -> bool:
    """Whether nothing is left of what was sent to a stage; of one that reads another's output, once that has ended."""
    watch = site.watches[stage]
    if stage in site.sums:
        return watch.done() == site.sums[stage].sent
    return all(_is_at_rest(site, one) for one in (*site.before(stage), stage))


def _is_at_rest(site: Site, stage: str) -> bool:
    watch, now = site.watches[stage], time.monotonic()
    if any(now - at <= REST_SECONDS for at in watch.moved.values()):
        return False
    if stage == "ingest" and site.people is not None:
        return watch.positions == dict(site.people.ends)
    return all(left <= MARKERS for left in watch.behind().values())
