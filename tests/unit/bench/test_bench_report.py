from pathlib import Path

from bench.line_up import line_up
from bench.plan import Plan
from bench.report import engines, goals, rows
from bench.rounds import FLOOR, Results
from bench.running import Measured


def results(**micros: list[float]) -> Results:
    plan = Plan()
    found = Results(plan, peers=line_up(plan, Path("rules.json")))
    for name, costs in micros.items():
        found.measured[name.replace("_", "-")] = [Measured(1_000, cost / 1_000, 1.0, 1.0) for cost in costs]
    return found


def test_ratios_are_those_of_one_round_and_what_is_beyond_the_handler_is_told_apart() -> None:
    found = results(floor=[30, 60, 30], baton=[40, 80, 40], faust=[430, 860, 430], kafka_streams_eos=[60, 120, 60])
    by_name = {row.name: row for row in rows(found)}

    assert [FLOOR, "baton", "kafka-streams-eos", "faust"] == list(by_name)
    assert [0.75, 1.0, 1.5, 10.75] == [row.ratio for row in by_name.values()]
    assert [None, 10.0, None, 400.0] == [row.beyond for row in by_name.values()]


def test_a_goal_is_reached_or_not_and_what_no_engine_could_reach_is_said() -> None:
    found = results(floor=[30], baton=[40], bare=[38], faust=[430])

    assert [
        "at most 1.1 × the bare loop: reached (1.05 ×, or 1.0 × cheaper)",
        "at least 40 × cheaper than the stock Faust agent: not reached (0.09 ×, or 10.8 × cheaper)",
    ] == goals(found)
    assert "an engine that costs nothing would be 14 × cheaper than Faust" in engines(found)
    assert "stock Faust agent with a Table: 40.0 ×" in engines(found)
