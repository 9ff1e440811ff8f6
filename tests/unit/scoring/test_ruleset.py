from collections.abc import Sequence
from pathlib import Path

import pytest

from rules.faults import Fault, FaultyConfiguration
from services.scoring import ruleset as rulesets
from tests.unit.scoring.scoring_world import RULES, RULESET, lead, rules_of, scored

DEFAULT = Path(__file__).parents[3] / "config" / "scoring.yaml"


def faults(text: str) -> Sequence[Fault]:
    with pytest.raises(FaultyConfiguration) as caught:
        rules_of(text)
    return caught.value.faults


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "at", "said", "mend"),
    [
        ("id: seller", "id: boss", "id: boss, when: {field: person.function", "stands twice", "Rename"),
        ("id: webinar,", "id: demo,", "id: demo, on: demo_requested", "stands twice", "Rename"),
        ("id: keen", "id: enterprise", "enterprise, when: {field: engagement", "stands twice", "Rename"),
        ("group: reading", "group: readin", "group: readin", "unknown group `readin`", "Did you mean `reading`"),
        ("{A: 75, B: 50, C: 25}", "{A: 50, B: 75, C: 25}", "{A: 50", "do not descend", "highest"),
        ("{1: 75, 2: 50, 3: 25}", "{1: 75, 2: 50, 3: 0}", "3: 0", "every lead", "above 0"),
        ("{1: 75, 2: 50, 3: 25}", "{1: 75, 2: 50}", "{1: 75", "grade 3 has no lowest", "1, 2, 3"),
        ("{A: 75, B: 50, C: 25}", "{A: 75, B: 50, C: 25, D: 1}", "D: 1", "unknown grade `D`", "A, B, C"),
        ("{A: 75, B: 50, C: 25}", "{A: 175, B: 50, C: 25}", "A: 175", "no lead can reach", "Lower"),
        ("{linear: 60d}", "{linear: 60d, window: 3d}", "window: 3d", "`linear` and `window`", "one of"),
        ("{linear: 60d}", "{}", "decay: {}", "no kind of decay", "one of"),
        ("{linear: 60d}", "{half_life: -7d}", "half_life: -7d", "not a duration", "7d"),
        ("{linear: 60d}", "{halflife: 7d}", "halflife", "unknown key `halflife`", "half_life"),
        ("{times: 3, per: 1d}", "{times: 0, per: 1d}", "times: 0", "greater than or equal to 1", "Mend"),
        ("{times: 3, per: 1d}", "{times: 3}", "times: 3", "limit.per` is missing", "per"),
        ("points: 20, group: person", "points: 0, group: person", "points: 0", "no points", "take it out"),
        ("points: 60", "points: 60.001", "points: 60.001", "two decimals", "60.00"),
        ("points: 60", "points: .nan", "points: .nan", "finite", ""),
        ("points: 60", "points: many", "points: many", "number", ""),
        ("person.seniority", "event.type", "boss", "unknown field `event.type`", ""),
        ("event.properties.path", "person.city", "id: pricing", "unknown field `person.city`", ""),
        ("{field: engagement, gte: 50}", "{field: stage, equals: mql}", "keen", "unknown field `stage`", ""),
        ("starts_with: /pricing", "begins: /pricing", "begins", "unknown operator", ""),
        ("hand_raise: [demo_requested]", "hand_rais: [x]", "hand_rais", "unknown key", "hand_raise"),
        ("version: 1", "version: 2", "version: 2", "version", ""),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_line_and_a_mend(
    old: str, new: str, at: str, said: str, mend: str
) -> None:
    text = RULES.replace(old, new, 1)
    found = faults(text)

    assert [line_of(text, at)] == [fault.line for fault in found if said in fault.message]
    assert all(mend in fault.mend for fault in found if said in fault.message)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = RULES.replace("group: reading", "group: no").replace("points: 60", "points: 0").replace("3: 25}", "3: 99}")
    text = text.replace("person.employees, gte: 1000}, points", "person.employes, gte: 1000}, points")

    assert 4 == len(faults(text))


def test_a_file_by_which_nobody_can_qualify_is_faulty() -> None:
    [fault] = faults(RULES[: RULES.index("qualify:")] + "qualify: {}\n")

    assert "no lead can ever qualify" in fault.message


def test_a_condition_that_can_never_hold_or_always_does_is_noticed_with_its_line() -> None:
    contradiction = "{all: [{field: person.employees, gt: 9}, {field: person.employees, lt: 5}]}"
    text = RULES.replace("{field: person.employees, gte: 1000}, points: 40", f"{contradiction}, points: 40")

    [notice] = rules_of(text).notices

    assert (line_of(text, "id: big"), True) == (notice.line, "`big` can never match" in notice.message)
    assert () == RULESET.notices


def test_the_hash_follows_what_the_file_says_not_how_it_is_written() -> None:
    spaced = RULES.replace("version: 1", "# how it all began\nversion:    1")
    reordered = RULES.replace(
        "{id: form, on: form_submitted, points: 10}", "{points: 10, on: form_submitted, id: form}"
    )

    assert RULESET.rules_hash == rules_of(spaced).rules_hash == rules_of(reordered).rules_hash
    assert RULESET.rules_hash != rules_of(RULES.replace("points: 10}", "points: 11}")).rules_hash


def test_the_ruleset_that_baton_ships_has_no_fault_and_hands_a_demo_request_to_sales() -> None:
    ruleset = rulesets.load(DEFAULT)
    records, _ = scored(
        [
            lead("a", "page_viewed", properties={"path": "/pricing"}),
            lead("b", "form_submitted", attributes={"job_title": "VP Sales", "employees": 400, "country": "DE"},
                 subject={"email": "ana@acme.example"}),
            lead("c", "demo_requested"),
        ],
        ruleset,
    )  # fmt: skip

    # VP 35, sales 20, mid-market 25, Germany 15, company address 10: 105, cut at 100. Pricing 15 + page 2 + form 25,
    # then a demo's 60: 102, cut at 100.
    assert ["D3", "A2", "A1"] == [record.grade for record in records]
    assert ["inquiry", "mql", "mql"] == [record.stage for record in records]
    assert [0.0, 100.0, 100.0] == [record.fit for record in records]
    assert ["mid-market"] == records[-1].segments


def test_the_example_of_the_online_courses_has_no_fault() -> None:
    assert rulesets.load(DEFAULT.parent / "examples" / "online-courses" / "scoring.yaml").engagement
