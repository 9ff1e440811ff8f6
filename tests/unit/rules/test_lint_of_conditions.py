from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.lint import Placed, always_true, cannot_hold, never_true, shadowed
from rules.tree import Not
from tests.unit.rules.people import NOW, condition
from tests.unit.rules.strategies import conditions, subjects


def placed(*texts: str | None) -> list[Placed]:
    return [
        Placed(f"r{number}", None if text is None else condition(text), "rules.yaml", number * 10)
        for number, text in enumerate(texts, 1)
    ]


@pytest.mark.parametrize(
    "parts",
    [
        "{field: person.employees, gt: 10}, {field: person.employees, lt: 5}",
        "{field: person.employees, gt: 10}, {field: person.employees, lte: 10}",
        "{field: person.employees, gte: 10}, {field: person.employees, lt: 10}",
        "{field: person.employees, equals: 3}, {field: person.employees, gt: 3}",
        "{field: person.employees, between: [1, 5]}, {field: person.employees, between: [6, 9]}",
        "{field: person.employees, in: [1, 2]}, {field: person.employees, in: [3]}",
        "{field: person.employees, between: [5, 5]}, {field: person.employees, not_equals: 5}",
        "{field: person.employees, gt: 5}, {not: {field: person.employees, gt: 3}}",
        "{field: person.employees, gt: 5}, {field: person.employees, exists: false}",
        "{field: person.country, in: [DE, FR]}, {field: person.country, equals: GB}",
        "{field: person.country, equals: de}, {field: person.country, not_in: [DE, FR]}",
        "{field: person.country, in: [DE, FR]}, {field: person.country, not_in: [fr, de, gb]}",
        "{field: person.country, equals: DE}, {not: {field: person.country, equals: de}}",
        "{field: person.country, equals: DE}, {field: person.country, starts_with: f}",
        "{field: person.job_title, starts_with: abc}, {field: person.job_title, starts_with: abd}",
        "{field: person.job_title, ends_with: abc}, {field: person.job_title, ends_with: bbc}",
        "{field: person.job_title, contains: director}, {not: {field: person.job_title, contains: DIR}}",
        "{field: person.job_title, starts_with: vp of}, {not: {field: person.job_title, contains: vp}}",
        "{field: person.job_title, matches: a+}, {field: person.job_title, exists: false}",
        "{field: quality, contains: test}, {field: quality, not_in: [test, bot]}",
        "{field: quality, in: [a, b]}, {not: {field: quality, contains: a}}, {not: {field: quality, contains: b}}",
        "{field: consent.phone, equals: true}, {field: consent.phone, equals: false}",
        "{field: person.seen_at, within_last: 7d}, {not: {field: person.seen_at, within_last: 2w}}",
        "{field: person.seen_at, gt: 2026-05-01}, {field: person.seen_at, lt: 2026-04-01}",
        "{field: person.extra.x, gt: 5}, {field: person.extra.x, lt: 5}",
        "{field: person.extra.x, equals: a}, {field: person.extra.x, equals: b}",
        "{field: person.employees, exists: true}, {field: person.employees, exists: false}",
        "{any: [{field: quality, in: [a]}, {field: quality, contains: a}]}, {field: quality, exists: false}",
    ],
)
def test_parts_that_exclude_each_other_can_never_match(parts: str) -> None:
    found = never_true(placed(f"all: [{parts}]"))

    assert 1 == len(found)
    assert found[0].message.startswith("`r1` can never match: ")
    assert 10 == found[0].line


@pytest.mark.parametrize(
    "parts",
    [
        "{field: person.employees, gte: 10}, {field: person.employees, lte: 10}",
        "{field: person.employees, gt: 10}, {field: person.employees, lt: 11}",
        "{not: {field: person.employees, gt: 10}}, {not: {field: person.employees, lte: 10}}",
        "{field: quality, contains: a}, {field: quality, contains: b}",
        "{field: quality, in: [a]}, {field: quality, in: [b]}",
        "{field: quality, in: [a, b]}, {not: {field: quality, contains: a}}",
        "{field: person.seen_at, within_last: 2w}, {not: {field: person.seen_at, within_last: 7d}}",
        "{field: person.job_title, starts_with: a}, {field: person.job_title, starts_with: ab}",
        "{field: person.job_title, ends_with: a}, {field: person.job_title, ends_with: ba}",
        "{field: person.employees, between: [1, 6]}, {not: {field: person.employees, between: [0, 5]}}",
        "{field: person.employees, between: [1, 6]}, {not: {field: person.employees, between: [2, 7]}}",
        "{field: person.employees, between: [5, 5]}, {not: {field: person.employees, between: [1, 4]}}",
        "{field: person.extra.x, in: [a]}, {field: person.extra.x, in: [b]}",
        "{field: person.extra.x, contains: abc}, {not: {field: person.extra.x, contains: ab}}",
        "{field: person.job_title, contains: a}, {field: person.job_title, contains: b}",
        "{field: person.job_title, starts_with: a}, {field: person.job_title, ends_with: b}",
        "{field: person.country, not_equals: DE}, {field: person.country, not_equals: FR}",
        "{not: {field: consent.phone, equals: true}}, {not: {field: consent.phone, equals: false}}",
        "{field: person.country, equals: DE}, {field: person.job_title, equals: FR}",
    ],
)
def test_nothing_is_said_of_parts_that_can_hold_together(parts: str) -> None:
    assert [] == never_true(placed(f"all: [{parts}]"))


def test_a_dead_part_of_an_any_is_told_with_its_own_line() -> None:
    found = never_true(
        placed(
            "any:\n"
            "  - {field: person.country, equals: DE}\n"
            "  - all:\n"
            "      - {field: person.employees, gt: 10}\n"
            "      - {field: person.employees, lt: 5}\n"
        )
    )

    assert [4] == [fault.line for fault in found]
    assert "a part of an `any` in `r1` can never hold: employees is more than 10" in found[0].message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("any: [{field: person.country, exists: true}, {field: person.country, exists: false}]", True),
        ("any: [{field: person.country, equals: DE}, {field: person.country, not_equals: DE}]", True),
        ("any: [{field: person.country, not_equals: DE}, {field: person.country, not_equals: FR}]", True),
        ("any: [{field: person.employees, gt: 5}, {field: person.employees, lte: 5}]", False),  # it may be missing
        ("{field: person.country, exists: true}", False),
        ("{field: person.job_title, matches: '.*'}", False),
    ],
)
def test_what_always_matches_is_told(text: str, expected: bool) -> None:
    assert expected is bool(always_true(placed(text)))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{field: person.country, in: [DE, FR]}", "{field: person.country, equals: fr}"),
        ("{field: person.country, in: [DE, FR]}", "{field: person.country, in: [DE, FR]}"),
        ("{field: person.employees, gte: 100}", "{field: person.employees, gt: 500}"),
        ("{field: person.employees, gte: 100}", "{field: person.employees, between: [100, 200]}"),
        (
            "{field: person.country, equals: DE}",
            "all: [{field: quality, contains: a}, {field: person.country, equals: DE}]",
        ),
        ("any: [{field: quality, contains: a}, {field: quality, contains: b}]", "{field: quality, contains: b}"),
        ("{field: person.job_title, contains: dir}", "{field: person.job_title, contains: director}"),
        ("{field: person.job_title, exists: true}", "{field: person.job_title, matches: director}"),
        (None, "{field: person.country, equals: DE}"),
        (None, None),
    ],
)
def test_a_rule_below_one_that_takes_all_it_matches_is_shadowed(earlier: str | None, later: str | None) -> None:
    found = shadowed(placed(earlier, later))

    assert ["`r2` never gets its turn: `r1` (line 10) takes all that it would match"] == [f.message for f in found]
    assert [20] == [f.line for f in found]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{field: person.country, in: [DE, FR]}", "{field: person.country, in: [DE, GB]}"),
        ("{field: person.employees, gt: 100}", "{field: person.employees, gte: 100}"),
        ("{field: person.country, equals: DE}", None),
        ("{field: person.country, not_equals: DE}", "{field: person.employees, exists: true}"),
        (
            "all: [{field: quality, contains: a}, {field: person.country, equals: DE}]",
            "{field: person.country, equals: DE}",
        ),
    ],
)
def test_a_rule_that_matches_more_than_the_ones_above_is_not_shadowed(earlier: str | None, later: str | None) -> None:
    assert [] == shadowed(placed(earlier, later))


def test_rules_may_shadow_one_together() -> None:
    found = shadowed(
        placed(
            "{field: person.country, equals: DE}",
            "{field: person.country, equals: FR}",
            "{field: person.country, in: [DE, FR]}",
        )
    )

    assert ["`r3` never gets its turn: the rules above it together take all that it would match"] == [
        fault.message for fault in found
    ]


def test_what_can_never_match_is_not_called_shadowed_too() -> None:
    dead = "all: [{field: person.employees, gt: 10}, {field: person.employees, lt: 5}]"

    assert [] == shadowed(placed("{field: person.country, equals: DE}", dead))


def test_what_takes_too_many_cases_to_decide_is_left_alone() -> None:
    numbers = [f"person.extra.n{n}" for n in range(14)]
    splits = [f"{{any: [{{field: {path}, gt: 5}}, {{field: {path}, lt: 3}}]}}" for path in numbers]
    all_low = "{all: [" + ", ".join(f"{{field: {path}, lt: 3}}" for path in numbers) + "]}"

    # Only the last of 16,384 ways to choose meets it.
    assert [] == never_true(placed(f"all: [{', '.join(splits)}, {{any: [{all_low}, {all_low}, {all_low}]}}]"))


def test_a_long_list_of_tangled_rules_is_answered_in_bounded_time() -> None:
    tangled = [
        "all: ["
        + ", ".join(
            f"{{any: [{{field: person.job_title, contains: {a}{n}}}, {{field: quality, contains: {a}{n}}}]}}"
            for a in "abc"
        )
        + "]"
        for n in range(40)
    ]

    assert [] == shadowed(placed(*tangled))


@given(conditions, st.lists(subjects, min_size=5, max_size=20))
@settings(max_examples=100, deadline=None)
def test_what_lint_calls_impossible_holds_for_nobody_and_what_it_calls_certain_for_everybody(
    data: dict[str, Any], people: list[dict[str, Any]]
) -> None:
    parsed = condition(yaml.safe_dump(data))
    test = parsed.compile()
    results = {test(person, NOW) for person in people}

    assert not (cannot_hold([parsed]) and True in results)
    assert not (cannot_hold([Not(parsed)]) and False in results)


@given(st.lists(conditions, min_size=2, max_size=4), st.lists(subjects, min_size=5, max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_rule_called_shadowed_is_never_the_first_to_match(
    data: list[dict[str, Any]], people: list[dict[str, Any]]
) -> None:
    rules = placed(*map(yaml.safe_dump, data))
    tests = [rule.condition.compile() for rule in rules if rule.condition]
    firsts = {next((n for n, test in enumerate(tests, 1) if test(person, NOW)), 0) for person in people}
    told = {fault.line // 10 for fault in shadowed(rules)}

    assert not (firsts & told)
