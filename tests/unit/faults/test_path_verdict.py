"""The judge of the path finds what is amiss with a person, and says at which stage."""

from __future__ import annotations

from dataclasses import replace

from tests.audit import findings
from tests.faults import people
from tests.faults.changelogs import Known
from tests.faults.path_verdict import Found, judge_person, take
from tests.faults.verdict import Verdict


def counts(found: Verdict) -> tuple[int, int, int]:
    return found.lost, found.doubled, found.duplicates


def person() -> tuple[int, str, Found]:
    """One who views pages and asks for a demo, and what must stand there of them."""
    number = 24
    who, due = people.email(number), people.expected(number)
    found = Found({who: Known(due.events, due.views, due.stage)})
    found.came[who] = people.order(number)
    found.final[who] = (due.fit, due.engagement, due.grade, due.stage)
    found.queues[who] = ["heads"]
    return number, who, found


def of_person(number: int, found: Found) -> Verdict:
    """What is said of scoring and of routing, in one."""
    scoring, routing = Verdict(), Verdict()
    judge_person(scoring, routing, number, found)
    lost, doubled, duplicates = (a + b for a, b in zip(counts(scoring), counts(routing), strict=True))
    return Verdict(0, lost, doubled, duplicates, scoring.violations + routing.violations)


def test_a_person_of_whom_all_stands_there_is_passed() -> None:
    number, _, found = person()

    assert of_person(number, found).violations == []


def test_scores_that_are_missing_doubled_or_in_another_order_are_found() -> None:
    number, who, found = person()
    whole = list(found.came[who])

    found.came[who] = whole[:-1]
    assert counts(of_person(number, found)) == (1, 0, 0)
    found.came[who] = [*whole, whole[0]]
    assert counts(of_person(number, found)) == (0, 0, 1)
    found.came[who] = whole[::-1]
    assert "in the order" in of_person(number, found).violations[0]


def test_a_person_whose_changelog_is_behind_or_ahead_of_the_scores_is_found() -> None:
    number, who, found = person()
    events, views, stage = found.remembered[who]

    for wrong in (Known(events - 1, views - 1, stage), Known(events, views, "inquiry"), None):
        remembered = {} if wrong is None else {who: wrong}
        [violation] = of_person(number, replace(found, remembered=remembered)).violations
        assert "is remembered as" in violation
    assert counts(of_person(number, replace(found, remembered={who: Known(events, views + 1, stage)}))) == (0, 1, 0)


def test_a_person_on_a_wrong_queue_on_none_or_on_one_twice_is_found() -> None:
    number, who, found = person()

    for queues in ([], ["general"], ["heads", "heads"]):
        found.queues[who] = queues
        judgement = of_person(number, found)
        assert "not on heads" in judgement.violations[0]
        assert counts(judgement) == ("heads" not in queues, len(queues) > 1, 0)


def test_a_person_with_another_score_in_the_end_is_found() -> None:
    number, who, found = person()
    fit, engagement, grade, stage = found.final[who]
    found.final[who] = (fit, engagement + 20, grade, stage)

    assert counts(of_person(number, found)) == (0, 1, 0)


def test_what_the_audit_finds_is_counted_at_its_stage() -> None:
    verdicts = {stage: Verdict() for stage in ("ingest", "scoring", "routing")}
    take(
        verdicts,
        [
            findings.lost("ingest", "a"),
            findings.doubled("routing", "b"),
            findings.published_twice("scoring", "c"),
            findings.wrong("scoring", "d"),
        ],
    )

    assert {stage: counts(found) for stage, found in verdicts.items()} == {
        "ingest": (1, 0, 0), "scoring": (0, 0, 1), "routing": (0, 1, 0),
    }  # fmt: skip
    assert [len(found.violations) for found in verdicts.values()] == [1, 2, 1]
