from __future__ import annotations

import pytest
from sqlalchemy import event

from services.routing.ledger import Ledger
from services.routing.timers import Timers
from streaming.metrics import REGISTRY
from tests.integration.routing.desk import feed, outbox, rows, runner
from tests.unit.routing import world

pytestmark = pytest.mark.postgres

OFFERED = """
queues:
  - {id: enterprise, pool: {team: emea}, offer: {within: 15m, tries: 2, then: %s}}
  - {id: general, pool: {team: inbound}}
rules: [{id: all, otherwise: true, queue: enterprise}]
"""
NARROW = """
queues:
  - {id: enterprise, pool: {team: emea}, overflow: {after: 4h, to: general}}
  - {id: general, pool: {team: inbound}}
rules: [{id: all, otherwise: true, queue: enterprise}]
"""
FULL = world.ROSTER.replace("team: emea, weight: 2", "team: emea, capacity: 1, weight: 2").replace(
    "team: emea, weight: 1", "team: emea, capacity: 1, weight: 1"
)


def changes(ledger: Ledger, lead: str) -> list[tuple[int, str, str | None]]:
    found = [one for one in outbox(ledger, "sales.assignments") if one["lead_id"] == lead]
    return [(one["sequence"], one["status"], one.get("rep")) for one in found]


def free_everybody(ledger: Ledger) -> None:
    with ledger.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE reps SET open = 0")


def test_an_offer_that_is_not_answered_in_time_goes_to_the_next_then_waits(ledger: Ledger) -> None:
    plan = world.plan(OFFERED % "wait")
    timers = Timers(ledger, plan)
    feed(runner(ledger, plan), world.lead("lena"))
    early = timers.tick(world.NOON + 899)
    first = timers.tick(world.NOON + 900)
    second = timers.tick(world.NOON + 1800)

    assert (0, 1) == (early, first)
    assert 1 == second
    assert [
        (1, "offered", "ana"),
        (2, "expired", "ana"),
        (3, "offered", "bo"),
        (4, "expired", "bo"),
        (5, "waiting", None),  # for somebody who was not asked yet
    ] == changes(ledger, "lena")


def test_a_lead_that_everybody_declined_is_left_alone_until_somebody_else_comes(ledger: Ledger) -> None:
    plan = world.plan(OFFERED % "wait")
    feed(runner(ledger, plan), world.lead("lena"))
    for minutes in (15, 30):
        Timers(ledger, plan).tick(world.NOON + 60 * minutes)
    statements: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    idle = Timers(ledger, plan).tick(world.NOON + 3600)
    saved = [text for text in statements if "UPDATE queues" in text or "UPDATE assignments" in text]
    eve = world.ROSTER + "  - {id: eve, team: emea}\n"
    asked = Timers(ledger, world.plan(OFFERED % "wait", eve)).tick(world.NOON + 3601)

    assert (0, [], 1) == (idle, saved, asked)
    assert (6, "offered", "eve") == changes(ledger, "lena")[-1]


def test_a_lead_that_everybody_declined_overflows(ledger: Ledger) -> None:
    plan = world.plan((OFFERED % "wait").replace("then: wait}", "then: wait}, overflow: {after: 4h, to: general}"))
    timers = Timers(ledger, plan)
    feed(runner(ledger, plan), world.lead("lena"))
    for minutes in (15, 30, 239, 240):
        timers.tick(world.NOON + 60 * minutes)

    assert [(5, "waiting", None), (6, "offered", "cem")] == changes(ledger, "lena")[-2:]


def test_the_last_who_was_not_asked_leaves_the_pool_and_the_manager_decides(ledger: Ledger) -> None:
    text = (OFFERED % "manager").replace("tries: 2", "tries: 9").replace("{team: emea},", "{team: emea}, manager: dee,")
    plan = world.plan(text)
    feed(runner(ledger, plan), world.lead("lena"))
    with ledger.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE reps SET away = '' WHERE id = 'bo'")
    Timers(ledger, plan).tick(world.NOON + 900)
    waiting = changes(ledger, "lena")[-1]
    without_bo = world.plan(text, world.ROSTER.replace("{id: bo, team: emea", "{id: bo, team: inbound"))
    Timers(ledger, without_bo).tick(world.NOON + 901)

    assert (3, "waiting", None) == waiting
    assert (4, "offered", "dee") == changes(ledger, "lena")[-1]


def test_after_the_tries_a_manager_has_to_decide_and_no_timer_does(ledger: Ledger) -> None:
    plan = world.plan(OFFERED % "manager")
    timers = Timers(ledger, plan)
    feed(runner(ledger, plan), world.lead("lena"))
    for minutes in (15, 30, 45, 600):
        timers.tick(world.NOON + 60 * minutes)

    assert (5, "waiting", None) == changes(ledger, "lena")[-1]
    assert [{"escalated": True}] == rows(ledger, "SELECT escalated FROM assignments")


def test_waiting_leads_go_out_oldest_first_when_somebody_comes_free(ledger: Ledger) -> None:
    plan = world.plan(roster=FULL)
    run, timers = runner(ledger, plan), Timers(ledger, plan)
    for number in range(6):
        run.now = world.NOON + number
        feed(run, world.lead(f"lead-{number}", segments=["enterprise"]))
    idle = timers.tick(world.NOON + 60)
    free_everybody(ledger)
    timers.tick(world.NOON + 61)

    assert 0 == idle
    assert ["offered", "offered", "offered", "offered", "waiting", "waiting"] == [
        row["status"] for row in rows(ledger, "SELECT status FROM assignments ORDER BY lead_id")
    ]
    assert [(1, "waiting", None), (2, "offered", "ana")] == changes(ledger, "lead-2")
    assert 6 == len(outbox(ledger, "sales.queue.enterprise"))


def test_a_lead_that_waited_too_long_overflows_to_another_queue(ledger: Ledger) -> None:
    plan = world.plan(NARROW, FULL)
    timers = Timers(ledger, plan)
    feed(runner(ledger, plan), *(world.lead(f"lead-{i}") for i in range(3)))
    (waiting,) = rows(ledger, "SELECT lead_id FROM assignments WHERE status = 'waiting'")
    early = timers.tick(world.NOON + 4 * 3600 - 1)
    late = timers.tick(world.NOON + 4 * 3600)
    (moved,) = outbox(ledger, "sales.queue.general")

    assert (0, 1) == (early, late)
    assert (waiting["lead_id"], "general", "cem") == (moved["lead_id"], moved["queue"], moved["rep"])
    assert (2, "offered", "cem") == changes(ledger, waiting["lead_id"])[-1]


def test_open_offers_and_waiting_leads_are_measured(ledger: Ledger) -> None:
    plan = world.plan(roster=FULL)
    feed(runner(ledger, plan), *(world.lead(f"lead-{i}", segments=["enterprise"]) for i in range(5)))
    Timers(ledger, plan).tick(world.NOON)

    assert 2 == REGISTRY.get_sample_value("baton_offers_open", {"queue": "enterprise"})
    assert 3 == REGISTRY.get_sample_value("baton_waiting_leads", {"queue": "enterprise"})
    assert 0 == REGISTRY.get_sample_value("baton_waiting_leads", {"queue": "general"})


def test_a_lead_whose_queue_is_no_more_goes_to_the_catch_all(ledger: Ledger) -> None:
    plan = world.plan(roster=FULL)
    feed(runner(ledger, plan), *(world.lead(f"lead-{i}", segments=["enterprise"]) for i in range(3)))
    only_general = """
queues: [{id: general, pool: {team: inbound}}]
rules: [{id: rest, otherwise: true, queue: general}]
"""
    Timers(ledger, world.plan(only_general)).tick(world.NOON + 1)
    (moved,) = outbox(ledger, "sales.queue.general")

    assert "cem" == moved["rep"]
    assert [{"status": "offered", "count": 3}] == rows(
        ledger, "SELECT status, count(*) FROM assignments GROUP BY status"
    )
