"""The faults, and how they are drawn: the same seed draws the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.faults.database import LOCKED
from tests.faults.site import STAGES, SUMS


@dataclass(frozen=True)
class Fault:
    """What happens to a stage's worker of that number, or to a server; after `seconds` it is mended."""

    kind: str
    stage: str = ""
    victim: int = 0
    seconds: float = 0.0
    what: str = ""

    def __str__(self) -> str:
        words = [self.kind, self.stage, f"worker {self.victim}" if self.kind in ONE_WORKER else "", self.what]
        return ", ".join([word for word in words if word] + ([f"{self.seconds:.0f} s"] if self.seconds else []))

    @property
    def loses_partitions(self) -> bool:
        """Whether the worker that is hit loses its partitions without ending, and is to join again by itself."""
        return self.kind in (FREEZE, FREEZE_LONG) or (self.kind == SLOW and self.seconds >= SLOWEST)


KILL_ONE, KILL_ALL, TERM, JOIN = "kill -9 of one", "kill -9 of all", "SIGTERM", "one more joins and leaves"
EMPTY, FREEZE, FREEZE_LONG = (
    "all leave, then all join",
    "frozen, wakes while others work",
    "frozen, wakes when all is done",
)
SLOW = "slow handler"
BROKER_STOP, BROKER_PAUSE, BROKER_KILL = "broker stopped", "broker paused", "broker kill -9"
TOPIC = "an output's topic deleted"
DB_RESTART, DB_CRASH, DB_CUT, DB_LOCK = "PostgreSQL restarted", "PostgreSQL crashed", "connections cut", "lock held"

LEAVING = frozenset((TERM, EMPTY, JOIN))
ONE_WORKER = frozenset((KILL_ONE, TERM, FREEZE, FREEZE_LONG, SLOW))
OF_WORKERS = ONE_WORKER | {KILL_ALL, JOIN, EMPTY}
OF_BROKER = frozenset((BROKER_STOP, BROKER_PAUSE, BROKER_KILL))
OF_DATABASE = frozenset((DB_RESTART, DB_CRASH, DB_CUT, DB_LOCK))
OF_SERVERS = OF_BROKER | OF_DATABASE
SLOWEST = 24.0
"""Seconds of a slow handler: more than the poll interval of `tests.faults.program`."""
LEDGERS = {"sums in the ledger": "sums", "routing": "path"}
"""Stages that need PostgreSQL, and their databases."""
IN_LEDGER = tuple(LEDGERS)


PAIRED = 0.3
"""So many of the strikes at random are two faults at once; of those of two workers' half hit one stage."""


def each(rng: random.Random, stages: Sequence[str] = STAGES) -> Iterator[Fault]:
    """Every kind once, on every one of the stages that it can hit."""
    for stage in stages:
        for kind in (KILL_ONE, TERM, FREEZE, FREEZE_LONG, KILL_ALL, JOIN, EMPTY, *((SLOW,) if stage in SUMS else ())):
            fault = _of(kind, rng, [stage])
            yield replace(fault, seconds=SLOWEST) if kind == SLOW else fault
    yield from (_of(kind, rng, stages) for kind in (BROKER_STOP, BROKER_KILL))
    yield from (Fault(BROKER_PAUSE, seconds=seconds) for seconds in (10.0, 40.0))
    yield from (_of(TOPIC, rng, [stage]) for stage in SUMS if stage in stages)
    ledgers = [stage for stage in IN_LEDGER if stage in stages]
    if ledgers:
        yield from (_of(kind, rng, stages) for kind in (DB_RESTART, DB_CRASH, DB_CUT))
    yield from (_of(DB_LOCK, rng, [stage]) for stage in ledgers)


def at_random(rng: random.Random, stages: Sequence[str] = STAGES) -> Iterator[Sequence[Fault]]:
    """Without end: mostly one, sometimes any two at once that can go together."""
    kinds = {
        KILL_ONE: 6, KILL_ALL: 2, TERM: 4, JOIN: 3, EMPTY: 1, FREEZE: 3, FREEZE_LONG: 2, SLOW: 2,
        BROKER_STOP: 1, BROKER_PAUSE: 2, BROKER_KILL: 2, TOPIC: 1, DB_RESTART: 2, DB_CRASH: 2, DB_CUT: 2, DB_LOCK: 2,
    }  # fmt: skip
    left_out = set() if set(IN_LEDGER) & set(stages) else OF_DATABASE
    left_out = left_out | (set() if SUMS.keys() & set(stages) else {TOPIC, SLOW})
    possible = {kind: weight for kind, weight in kinds.items() if kind not in left_out}

    def drawn() -> Fault:
        return _of(rng.choices(list(possible), list(possible.values()))[0], rng, stages)

    while True:
        first = drawn()
        if rng.random() >= PAIRED:
            yield (first,)
            continue
        second = _beside(first, drawn(), rng)
        while not can_go_together(first, second):
            second = _beside(first, drawn(), rng)
        yield first, second


def meant_for(fault: Fault) -> tuple[str, ...]:
    """The stages that a fault is meant for: those that need the server, or the one whose workers or topic it hits."""
    if fault.kind in OF_BROKER:
        return STAGES
    return (fault.stage,) if fault.stage else IN_LEDGER


def can_go_together(one: Fault, other: Fault) -> bool:
    """Whether each of two faults can be what it says while the other one is.

    A server is hit once at a time. Of two at the workers of one stage, none takes away whom the other one hits, and
    somebody is left to be killed beside, or to work while one is frozen.
    """
    kinds = [one.kind, other.kind]
    if any(all(kind in of for kind in kinds) for of in (OF_BROKER, OF_DATABASE)):
        return False
    if one.stage != other.stage or not one.stage:
        return True
    if not all(kind in OF_WORKERS for kind in kinds):
        return kinds != [TOPIC, TOPIC]
    if EMPTY in kinds or kinds in ([JOIN, JOIN], [KILL_ALL, KILL_ALL], [KILL_ONE, KILL_ONE]):
        return False
    if all(kind in (FREEZE, FREEZE_LONG) for kind in kinds):
        return False
    return KILL_ALL not in kinds or JOIN in kinds


def _beside(first: Fault, second: Fault, rng: random.Random) -> Fault:
    """The second of two faults: of two workers' often one of the same stage, and then another worker of it."""
    if first.kind in OF_WORKERS and second.kind in OF_WORKERS and rng.random() < 0.5:
        second = replace(second, stage=first.stage if second.kind != SLOW or first.stage in SUMS else second.stage)
    return replace(second, victim=first.victim + 1) if second.kind in ONE_WORKER else second


def _of(kind: str, rng: random.Random, stages: Sequence[str]) -> Fault:
    moment = round(rng.uniform(0.5, 4), 1)
    if kind == BROKER_PAUSE:
        return Fault(kind, seconds=rng.choices([10.0, 40.0], [4, 1])[0])
    if kind == DB_LOCK:
        stage = rng.choice([stage for stage in stages if stage in LEDGERS])
        name = LEDGERS[stage]
        return Fault(kind, stage, 0, round(rng.uniform(3, 14), 1), f"{name}.{rng.choice(LOCKED[name])}")
    if kind in OF_SERVERS:
        return Fault(kind, seconds=0.0 if kind == DB_CUT else moment)
    if kind == TOPIC:
        return Fault(kind, rng.choice([stage for stage in stages if stage in SUMS]), 0, round(rng.uniform(3, 8), 1))
    stage = rng.choice([stage for stage in stages if stage in SUMS or kind != SLOW])
    seconds = {FREEZE: rng.uniform(12, 16), JOIN: rng.uniform(2, 6), TERM: moment, SLOW: rng.choice([8.0, SLOWEST])}
    return Fault(kind, stage, rng.randrange(100), round(seconds.get(kind, 0.0), 1))
