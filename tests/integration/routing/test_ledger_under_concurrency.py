from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text

from services.routing.ledger import Ledger, apply_roster, connection, upgrade
from services.routing.ledger.answers import Desk, NotTheirs
from services.routing.ledger.store import read_headers
from services.routing.roster import Roster
from services.routing.stage import make_stage
from streaming.memory import MemoryRecord
from streaming.run import run
from streaming.stage import Fenced, Move, Output, TransientError
from tests.integration.routing.desk import everything, feed, outbox, rows, runner
from tests.unit.routing import world

pytestmark = pytest.mark.postgres

TOPIC = "leads.scored"


def records(partition: int, names: list[str], start: int = 0) -> list[MemoryRecord]:
    leads = [world.lead(name, segments=["enterprise"]) for name in names]
    return [
        MemoryRecord(TOPIC, partition, start + at, lead.lead_id.encode(), lead.to_json(), (), 0)
        for at, lead in enumerate(leads)
    ]


def work(ledger: Ledger, partition: int, names: list[str], start: int = 0) -> None:
    """One round, as the engine does it."""
    stage = make_stage(world.plan(), ledger)
    with ledger.round(TOPIC, [Move(partition, start, start + len(names))]) as unit:
        taken = records(partition, names, start)
        unit.publish(run(stage, taken, {}, now=world.NOON, unit=unit).outputs)


def test_two_workers_share_a_queue_exactly(ledger: Ledger) -> None:
    def one(partition: int) -> None:
        for batch in range(10):
            work(ledger, partition, [f"p{partition}-{batch}-{i}" for i in range(7)], batch * 7)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    decided = [(one["decision"]["turn"], one["rep"]) for one in outbox(ledger, "sales.queue.enterprise")]
    had = {"ana": 0, "bo": 0}
    for turn, rep in sorted(decided):
        had[rep] += 1

        assert abs(had["ana"] - Fraction(2 * turn, 3)) < 1

    assert list(range(1, 141)) == sorted(turn for turn, _ in decided)


def test_a_worker_that_was_overtaken_writes_nothing(ledger: Ledger) -> None:
    work(ledger, 0, ["lena"])
    before = everything(ledger)
    with pytest.raises(Fenced):
        work(ledger, 0, ["lena", "mia"])

    assert before == everything(ledger)
    assert 1 == ledger.position(TOPIC, 0)


def test_a_round_of_several_partitions_moves_all_of_them_or_none(ledger: Ledger) -> None:
    stage = make_stage(world.plan(), ledger)
    work(ledger, 2, ["nils"])
    before = everything(ledger)

    def both(start: int) -> None:
        with ledger.round(TOPIC, [Move(0, 0, 2), Move(2, start, 2)]) as unit:
            taken = records(0, ["lena", "mia"]) + records(2, ["noor"], 1)
            unit.publish(run(stage, taken, {}, now=world.NOON, unit=unit).outputs)

    with pytest.raises(Fenced, match=r"leads\.scored-2 is no longer at 0"):
        both(0)
    unmoved = (ledger.position(TOPIC, 0), ledger.position(TOPIC, 2), everything(ledger))
    both(1)
    lanes = rows(ledger, "SELECT lane, sequence, key FROM outbox WHERE topic LIKE 'sales.queue.%' ORDER BY id")

    assert (None, 1, before) == unmoved
    assert (2, 2) == (ledger.position(TOPIC, 0), ledger.position(TOPIC, 2))
    assert {"lena": 0, "mia": 0, "nils": 2, "noor": 2} == {bytes(row["key"]).decode(): row["lane"] for row in lanes}
    of_lane = rows(ledger, "SELECT sequence FROM outbox WHERE lane = 2 ORDER BY id")
    assert list(range(len(of_lane))) == [row["sequence"] for row in of_lane]
    assert [{"lane": 0}, {"lane": 2}] == rows(ledger, "SELECT DISTINCT lane FROM assignments ORDER BY lane")


def test_of_two_workers_on_one_partition_one_is_fenced(ledger: Ledger) -> None:
    def one(_: int) -> bool:
        try:
            work(ledger, 0, ["lena", "mia"])
        except Fenced:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = sorted(pool.map(one, range(2)))

    assert [False, True] == won
    assert 2 == len(rows(ledger, "SELECT 1 FROM assignments"))


def test_a_round_that_fails_leaves_nothing_behind(ledger: Ledger) -> None:
    before = everything(ledger)

    def fail() -> None:
        with ledger.round(TOPIC, [Move(0, 0, 1)]) as unit:
            unit.publish([Output("t", b"k", b"v", lane=0)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert before == everything(ledger)
    assert ledger.position(TOPIC, 0) is None


def test_a_connection_that_is_cut_in_a_round_is_a_fault_that_passes(ledger: Ledger) -> None:
    def be_cut() -> None:
        with ledger.round(TOPIC, [Move(0, 0, 1)]) as unit:
            (pid,) = unit.connection.execute(text("SELECT pg_backend_pid()")).one()
            rows(ledger, "SELECT pg_terminate_backend(:pid)", pid=pid)
            unit.publish([Output("t", b"k", b"v", lane=0)])

    with pytest.raises(TransientError):
        be_cut()
    work(ledger, 0, ["lena"])

    assert 1 == ledger.position(TOPIC, 0)


def test_a_lock_that_is_held_too_long_is_a_fault_that_passes(ledger: Ledger) -> None:
    work(ledger, 0, ["lena"])

    def wait_in_vain() -> None:
        with ledger.round(TOPIC, [Move(1, 0, 1)]) as unit:
            unit.connection.execute(text("SET LOCAL lock_timeout = 50"))
            run(make_stage(world.plan(), ledger), records(1, ["mia"]), {}, now=world.NOON, unit=unit)

    with ledger.engine.begin() as holder:
        holder.execute(text("SELECT 1 FROM reps FOR UPDATE"))
        with pytest.raises(TransientError):
            wait_in_vain()


def test_a_worker_that_is_frozen_in_a_round_holds_up_its_successor_for_a_while_only(
    ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_TIMEOUT_MS", 1_000)
    soon = Ledger.at(database_url)

    def frozen() -> None:
        with soon.round(TOPIC, [Move(0, 0, 1)]):
            work(ledger, 0, ["lena"])  # waits for the row that is held, and has it once the database ends the holder

    with pytest.raises(TransientError):
        frozen()
    soon.close()
    assert ledger.position(TOPIC, 0) == 1


def test_a_deadlock_is_a_fault_that_passes(ledger: Ledger) -> None:
    work(ledger, 0, ["lena"])
    both = threading.Barrier(2)

    def one(order: tuple[str, str]) -> str:
        try:
            with ledger.unit() as unit:
                for at, rep in enumerate(order):
                    unit.connection.execute(text("UPDATE reps SET open = open WHERE id = :rep"), {"rep": rep})
                    if at == 0:
                        both.wait(10)
        except TransientError:
            return "transient"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert ["done", "transient"] == sorted(pool.map(one, [("ana", "bo"), ("bo", "ana")]))


def test_of_many_who_answer_at_once_each_is_counted_once(ledger: Ledger) -> None:
    feed(runner(ledger, world.plan()), world.lead("lena", segments=["enterprise"]))
    (assignment,) = rows(ledger, "SELECT assignment_id FROM assignments")
    ready = threading.Barrier(8)

    def say(what: Callable[[Desk, str, str, str], bool]) -> str:
        ready.wait(10)
        try:
            with ledger.unit() as unit:
                return str(what(Desk(unit, world.plan(), "", world.NOON), assignment["assignment_id"], "ana", ""))
        except NotTheirs:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(say, [Desk.accept, Desk.decline] * 4))
    events = rows(ledger, "SELECT sequence FROM assignment_events ORDER BY sequence")
    held = rows(ledger, "SELECT coalesce(sum(open), 0) AS held FROM reps")

    assert 1 == said.count("True")
    assert list(range(1, len(events) + 1)) == [one["sequence"] for one in events]
    assert [{"held": 1}] == held


def test_migrations_may_be_repeated(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)
    ledger = Ledger.at(database_url)
    work(ledger, 0, ["lena"])
    ledger.close()


def test_a_roster_is_applied_once_and_leaves_standings_alone(ledger: Ledger) -> None:
    work(ledger, 0, ["lena"])
    roster: Roster = world.plan().roster
    applied = [apply_roster(ledger, roster, world.NOON), apply_roster(ledger, roster, world.NOON)]

    assert [True, False] == applied
    assert [("ana", 1), ("bo", 0), ("cem", 0), ("dee", 0)] == [
        (row["id"], row["open"]) for row in rows(ledger, "SELECT id, open FROM reps ORDER BY id")
    ]


def test_the_tables_are_those_that_the_models_declare(ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from services.routing.ledger.models import Table

    with ledger.engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), Table.metadata)


def test_what_has_no_lane_is_not_published(ledger: Ledger) -> None:
    def publish() -> None:
        with ledger.unit() as unit:
            unit.publish([Output("t", b"k", b"v", lane=1), Output("t", b"k", b"v")])

    with pytest.raises(ValueError, match="lane"):
        publish()
    assert [] == rows(ledger, "SELECT lane FROM outbox")


def test_rounds_that_publish_on_the_same_lanes_wait_for_each_other_and_number_without_a_gap(ledger: Ledger) -> None:
    both = threading.Barrier(2)

    def one(lanes: tuple[int, ...]) -> None:
        for _ in range(20):
            both.wait(10)
            with ledger.unit() as unit:
                unit.publish([Output("t", b"k", b"v", lane=lane) for lane in lanes])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [(3, 1, 2, 1), (2, 3, 1)]))
    found = rows(ledger, "SELECT lane, sequence FROM outbox ORDER BY lane, sequence")

    assert {1: 60, 2: 40, 3: 40} == {lane: sum(row["lane"] == lane for row in found) for lane in (1, 2, 3)}
    assert all([*range(len(of))] == of for of in ([r["sequence"] for r in found if r["lane"] == n] for n in (1, 2, 3)))


def test_the_ledger_remembers_which_topic_its_positions_are_of_while_there_are_any(ledger: Ledger) -> None:
    assert [ledger.origin(TOPIC, one) for one in ("first", "second")] == ["first", "second"]
    work(ledger, 0, ["lena"])
    assert ledger.origin(TOPIC, "third") == "second"
    assert ledger.origin("other", "fourth") == "fourth"
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM positions WHERE topic = :topic"), {"topic": TOPIC})
    assert ledger.origin(TOPIC, "third") == "third"


def test_a_name_of_a_header_that_is_no_text_survives_as_latin_1(ledger: Ledger) -> None:
    name: Any = b"caf\xe9"
    with ledger.unit() as unit:
        unit.publish([Output("routing.failed", b"k", b"v", [(name, b"1")], 0, lane=0)])
    assert [("caf\xe9", b"1")] == read_headers(bytes(rows(ledger, "SELECT headers FROM outbox")[0]["headers"]))
