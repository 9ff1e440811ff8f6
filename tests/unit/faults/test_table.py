"""The table says what a run came to, and a run that says little fails."""

from __future__ import annotations

from collections import Counter

from tests.faults import catalogue as c
from tests.faults.catalogue import Fault
from tests.faults.outcome import Outcome, Struck, ended_badly, mostly_idle
from tests.faults.table import lines
from tests.faults.verdict import Verdict

KILL = Fault(c.KILL_ONE, "scoring", 1)
PAUSE = Fault(c.BROKER_PAUSE, seconds=10.0)
TERM = Fault(c.TERM, "scoring", 2, 1.0)
AWAY = Fault(c.DB_CRASH, seconds=2.0)


def struck(*faults: Fault, recovery: float = 1.0, after: float = 0.5, **partitions: int) -> Struck:
    return Struck(faults, had_work=True, partitions=Counter(partitions), recovery=recovery, after_end=after)


def table(outcome: Outcome) -> list[str]:
    return lines(outcome, 7, "the same again")


def row(found: list[str], name: str) -> str:
    """What the line says that begins so, after its name."""
    [line] = [line for line in found if line.startswith(name + " ")]
    return " ".join(line.removeprefix(name).split())


def test_each_stage_has_a_row_of_its_own() -> None:
    verdicts = {"ingest": Verdict(10, lost=1), "scoring": Verdict(20, doubled=2), "routing": Verdict(30, duplicates=3)}
    found = table(Outcome(verdicts=verdicts))

    assert row(found, "ingest") == "10 1 0 0"
    assert row(found, "scoring") == "20 0 2 0"
    assert row(found, "routing") == "30 0 0 3"


def test_a_kind_of_fault_says_in_which_stages_there_was_work_and_how_long_they_stood_still() -> None:
    found = table(
        Outcome(
            [
                struck(PAUSE, ingest=4, routing=2),
                struck(PAUSE, recovery=9.0, after=3.0, ingest=1),
                struck(KILL, scoring=2),
            ]
        )
    )

    # Of the columns the first two are of the sums.
    assert row(found, "broker paused 10 s") == "2 0 0 2 0 1 1.0 / 9.0 / 9.0 0.5 / 3.0 / 3.0"
    assert row(found, "kill -9 of one") == "1 0 0 0 1 0 1.0 / 1.0 / 1.0 0.5 / 0.5 / 0.5"
    assert row(found, "all") == "3 0 0 2 1 1 1.0 / 9.0 / 9.0 0.5 / 3.0 / 3.0"
    assert any(line.startswith("seed 7: 3 faults with work, in 3 strikes") for line in found)


def test_a_strike_without_work_is_named_and_counted_nowhere() -> None:
    found = table(Outcome([struck(KILL, scoring=1), Struck((TERM,), hollow=["no"])], idle=3))

    assert "strikes without work, of which nothing is counted: 1; SIGTERM, scoring" in found
    assert not any(line.startswith("SIGTERM") for line in found)
    assert "strikes that found no work, and were repeated: 3" in found


def test_two_at_once_are_counted_by_what_they_hit_and_each_pair_is_named() -> None:
    elsewhere = Fault(c.KILL_ALL, "routing")
    found = table(Outcome([struck(*pair) for pair in ((PAUSE, AWAY), (PAUSE, KILL), (KILL, TERM), (KILL, elsewhere))]))

    for name in ("two servers", "a server and a stage", "two at once in a stage", "two at once in two stages"):
        assert sum(line.startswith(name) for line in found) == 1, name
    [pairs] = [line for line in found if line.startswith("two at once: ")]
    assert "kill -9 of one + SIGTERM 1" in pairs
    assert "broker paused 10 s + PostgreSQL crashed 1" in pairs


def test_who_joined_again_and_who_ended_instead_is_said() -> None:
    found = table(Outcome(rejoined=Counter({"scoring": 3}), ended=Counter({"routing": 1})))

    assert "frozen or slow workers that lost their partitions, and joined again: scoring 3" in found
    assert "frozen or slow workers that lost their partitions, and ended instead: routing 1" in found


def test_a_run_without_violations_ends_well_and_one_with_any_says_how_to_repeat_it() -> None:
    good, bad = Outcome([struck(KILL)]), Outcome([struck(KILL)], verdicts={"scoring": Verdict()})
    bad.verdicts["scoring"].say("a lead is lost")

    assert (good.exit_code, table(good)[-1]) == (0, "nothing lost, nothing doubled")
    assert (bad.exit_code, table(bad)[-1]) == (1, "FAILED; the same faults again: the same again")
    assert "VIOLATION: scoring: a lead is lost" in table(bad)


def test_what_is_wrong_with_a_strike_or_a_stage_fails_a_run() -> None:
    assert Outcome([Struck((KILL,), wrong=["nothing moves"])]).violations == ["nothing moves"]
    assert Outcome(wrong=["too heavy"]).exit_code == 1


def test_more_than_one_in_five_without_work_fail_a_run() -> None:
    def run(idle: int, of: int) -> list[str]:
        return mostly_idle([Struck((KILL,), had_work=number >= idle) for number in range(of)], 3)

    assert run(0, 0) == run(0, 9) == run(1, 5) == run(2, 10) == []
    assert run(1, 4) == ["1 of 4 strikes found no work, 3 times each: this says little"]
    assert run(3, 14) != []


def test_a_worker_that_does_not_end_well_in_the_end_fails_a_run() -> None:
    assert ended_badly({"scoring-w0": 0, "scoring-w1": 0}) == []
    [line] = ended_badly({"scoring-w0": 0, "scoring-w1": 70, "routing-w0": None})
    assert "scoring-w1" in line
    assert "routing-w0" in line
    assert "scoring-w0" not in line
