"""Faults at random: of two at once each can be what it says, and all kinds come as one of two."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from tests.faults import catalogue as c
from tests.faults.catalogue import Fault, can_go_together
from tests.faults.site import SUMS, WORKERS

MANY = 6_000
WORKERS_OF_A_STAGE = min(WORKERS.values())
DRAWN = [tuple(faults) for faults in islice(c.at_random(random.Random(3)), MANY)]
PAIRS = [faults for faults in DRAWN if len(faults) == 2]
KINDS = {fault.kind for faults in DRAWN for fault in faults}


def pairs_in_a_stage() -> list[tuple[Fault, ...]]:
    """Two faults at the workers of one stage."""
    of_workers = [pair for pair in PAIRS if all(fault.kind in c.OF_WORKERS for fault in pair)]
    return [pair for pair in of_workers if pair[0].stage == pair[1].stage]


def test_every_kind_is_drawn_alone_and_as_the_first_and_the_second_of_two() -> None:
    assert len(KINDS) == 16
    assert {faults[0].kind for faults in DRAWN if len(faults) == 1} == KINDS
    assert {first.kind for first, _ in PAIRS} == {second.kind for _, second in PAIRS} == KINDS


def test_about_three_in_ten_are_two_at_once_and_some_of_them_in_one_stage() -> None:
    assert 0.27 < len(PAIRS) / MANY < 0.33
    assert 0.05 < len(pairs_in_a_stage()) / len(PAIRS) < 0.4


@pytest.mark.parametrize(
    "kinds",
    [
        (c.KILL_ONE, c.TERM), (c.FREEZE, c.KILL_ONE), (c.FREEZE_LONG, c.KILL_ONE), (c.FREEZE, c.TERM),
        (c.JOIN, c.KILL_ALL), (c.SLOW, c.KILL_ONE), (c.TERM, c.TERM),
    ],
)  # fmt: skip
def test_such_two_hit_one_stage_at_once(kinds: tuple[str, str]) -> None:
    assert any(sorted(kinds) == sorted(fault.kind for fault in pair) for pair in pairs_in_a_stage())


@pytest.mark.parametrize("kind", [c.KILL_ALL, c.EMPTY, c.FREEZE_LONG, c.SLOW, c.TOPIC])
def test_a_server_is_away_meanwhile(kind: str) -> None:
    for servers in (c.OF_BROKER, c.OF_DATABASE):
        assert any(any(f.kind == kind for f in pair) and any(f.kind in servers for f in pair) for pair in PAIRS)


def test_two_at_workers_of_one_stage_hit_two_of_them() -> None:
    for pair in pairs_in_a_stage():
        victims = [fault.victim % WORKERS_OF_A_STAGE for fault in pair if fault.kind in c.ONE_WORKER]
        assert len(victims) == len(set(victims)), pair


def test_what_is_drawn_can_go_together_and_in_either_order() -> None:
    for one, other in PAIRS:
        assert can_go_together(one, other)
        assert can_go_together(other, one)
        assert all(fault.stage in SUMS for fault in (one, other) if fault.kind in (c.SLOW, c.TOPIC))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Fault(c.BROKER_STOP, seconds=1), Fault(c.BROKER_KILL, seconds=2)),
        (Fault(c.DB_CRASH, seconds=1), Fault(c.DB_LOCK, "routing", 0, 3, "path.leads")),
        (Fault(c.KILL_ONE, "ingest", 0), Fault(c.KILL_ONE, "ingest", 1)),
        (Fault(c.FREEZE, "ingest", 0, 12), Fault(c.FREEZE_LONG, "ingest", 1)),
        (Fault(c.KILL_ALL, "ingest"), Fault(c.FREEZE, "ingest", 1, 12)),
        (Fault(c.EMPTY, "ingest"), Fault(c.KILL_ONE, "ingest", 1)),
        (Fault(c.EMPTY, "ingest"), Fault(c.JOIN, "ingest", 0, 3)),
        (Fault(c.TOPIC, "sums in Kafka", 0, 3), Fault(c.TOPIC, "sums in Kafka", 0, 4)),
    ],
)
def test_one_that_takes_from_the_other_what_it_hits_does_not_go_with_it(one: Fault, other: Fault) -> None:
    assert not can_go_together(one, other)
    assert not can_go_together(other, one)


def test_what_hits_another_stage_or_a_server_goes_with_it() -> None:
    freeze = Fault(c.FREEZE, "ingest", 0, 12)

    for other in (Fault(c.FREEZE, "scoring", 1, 12), Fault(c.EMPTY, "routing"), Fault(c.DB_CUT), Fault(c.BROKER_KILL)):
        assert can_go_together(freeze, other)
    assert can_go_together(Fault(c.BROKER_KILL, seconds=1), Fault(c.DB_CRASH, seconds=2))
    assert can_go_together(Fault(c.KILL_ALL, "routing"), Fault(c.DB_LOCK, "routing", 0, 3, "path.positions"))


def test_locks_are_held_on_the_rows_that_two_workers_contend_for() -> None:
    locked = {fault.what for faults in DRAWN for fault in faults if fault.kind == c.DB_LOCK}

    assert {"path.positions", "path.queues", "path.reps", "sums.positions"} <= locked


def test_every_kind_of_table_that_is_locked_is_there() -> None:
    from services.routing.ledger.models import Table
    from tests.faults.database import LOCKED

    assert {table for tables in LOCKED.values() for table in tables} <= set(Table.metadata.tables) | {"sums"}
