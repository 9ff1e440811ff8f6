from __future__ import annotations

from pathlib import Path

import pytest

from rules.faults import FaultyConfiguration
from services.routing import plan as plans
from tests.unit.routing import world

LAST = "  - {id: rest, otherwise: true, queue: general}\n"


def faults(routing: str = world.ROUTING, roster: str = world.ROSTER) -> list[tuple[str, int, str]]:
    with pytest.raises(FaultyConfiguration) as caught:
        world.plan(routing, roster)
    assert all(fault.mend for fault in caught.value.faults)
    return [(fault.file, fault.line, fault.message) for fault in caught.value.faults]


def test_the_plan_says_who_is_behind_each_queue() -> None:
    plan = world.plan()

    assert {"enterprise": ["ana", "bo"], "general": ["cem", "dee"]} == {
        name: [rep.id for rep in queue.members] for name, queue in plan.queues.items()
    }
    assert plan.rules_hash != plan.roster_hash


def test_team_all_is_everybody() -> None:
    plan = world.plan(world.ROUTING.replace("{team: inbound}", "{team: all}"))

    assert ["ana", "bo", "cem", "dee"] == [rep.id for rep in plan.queues["general"].members]


@pytest.mark.parametrize(
    ("was", "becomes", "line", "message"),
    [
        (LAST, "", 7, "there is no catch-all: a lead that no rule matches would go nowhere"),
        ("queue: enterprise,", "queue: enterprize,", 8, "unknown queue `enterprize`"),
        ("team: inbound", "team: outbound", 6, "the pool of `general` is empty"),
        ("skills: [enterprise]", "skills: [sailing]", 5, "the pool of `enterprise` is empty"),
        ("{team: inbound}", "{reps: [cem, zoe]}", 6, "unknown rep `zoe`"),
        ("{team: inbound}", "{team: inbound, reps: [cem]}", 6, "a pool is a team or a list of reps"),
        ("id: rest", "id: big", 9, "the rule `big` stands here twice"),
        ("id: enterprise", "id: a queue!", 5, "`a queue!` cannot be part of a topic's name"),
        ("{team: inbound}", "{team: inbound}, distribute: best_fit", 6, "`best_fit` is not there yet"),
        ("{team: inbound}", "{team: inbound}, overflow: {after: 4h, to: general}", 6, "`general` is no other queue"),
        ("{team: inbound}", "{team: inbound}, manager: zoe", 6, "unknown rep `zoe`"),
        ("otherwise: true, ", "", 9, "the rule `rest` needs a condition"),
        ("field: segments", "field: segmnts", 8, "unknown field"),
    ],
)
def test_a_fault_of_routing_is_told_with_its_line(was: str, becomes: str, line: int, message: str) -> None:
    found = faults(world.ROUTING.replace(was, becomes))

    assert any(
        ("routing.yaml", line) == (file, at) and message.split("`", maxsplit=1)[0].lower() in said.lower()
        for file, at, said in found
    ), found


def test_a_rule_after_the_catch_all_is_a_fault() -> None:
    found = faults(world.ROUTING + "  - {id: late, when: {field: fit, gt: 1}, queue: general}\n")

    assert [("routing.yaml", 10, "the rule `late` can never match: it stands after the catch-all")] == found


def test_two_queues_of_one_name_are_a_fault() -> None:
    found = faults(world.ROUTING.replace("id: general", "id: enterprise"))

    assert ("routing.yaml", 6, "the queue `enterprise` stands here twice") in found


@pytest.mark.parametrize(
    ("roster", "line", "message"),
    [
        ("reps:\n  - {id: ana, team: a, weight: 0}\n", 2, "the weight 0 is not above zero"),
        ("reps:\n  - {id: ana, team: a}\n  - {id: ana, team: b}\n", 3, "the rep `ana` stands here twice"),
        ("reps:\n  - {id: ana, team: a, calendar: mars}\n", 2, "unknown calendar `mars`"),
        ("reps: []\n", 1, "nobody is on the roster"),
        (
            "calendars:\n  x:\n    zone: Mars/Base\n    hours: {mon: '09:00-17:00'}\nreps: [{id: a, team: a}]",
            3,
            "unknown zone `Mars/Base`",
        ),
        (
            "calendars:\n  x:\n    zone: UTC\n    hours: {mon: '17:00-09:00'}\nreps: [{id: a, team: a}]",
            4,
            "'17:00-09:00' ends before it begins",
        ),
        (
            "calendars:\n  x:\n    holidays: ZZ\n    zone: UTC\n    hours: {mon: 9:00-17:00}\nreps: [{id: a, team: a}]",
            3,
            "no public holidays are known for 'ZZ'",
        ),
    ],
)
def test_a_fault_of_the_roster_is_told_with_its_line(roster: str, line: int, message: str) -> None:
    assert ("roster.yaml", line, message) in faults(roster=roster)


def test_faults_of_both_files_come_at_once(tmp_path: Path) -> None:
    routing, roster = tmp_path / "routing.yaml", tmp_path / "roster.yaml"
    routing.write_text(world.ROUTING.replace("queue: enterprise,", "queue: nowhere,"))
    roster.write_text("reps:\n  - {id: ana, team: a, weight: -1}\n")
    with pytest.raises(FaultyConfiguration) as caught:
        plans.load(routing, roster)

    assert {str(routing), str(roster)} == {fault.file for fault in caught.value.faults}


def test_the_configuration_that_ships_has_no_fault() -> None:
    root = Path(__file__).parents[3] / "config"
    plan = plans.load(root / "routing.yaml", root / "roster.yaml")

    assert {"emea-enterprise", "amer-enterprise", "mid-market", "general"} == set(plan.queues)
