from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import passed_on
from services.scoring import lookups
from services.scoring.fit import FitTable
from services.scoring.lines import account, fit_lines
from services.scoring.vocabulary import View
from tests.unit.scoring.scoring_world import lead, points, rules_of, scored

RULESET = rules_of(r"""
version: 1
fit:
  max: 60
  rules:
    - {id: boss, when: {field: person.seniority, in: [founder, vp]}, points: 30, group: person}
    - {id: seller, when: {any: [{field: person.function, equals: sales}, {field: person.job_title, contains: sell}]}, points: 20, group: person}
    - {id: big, when: {field: person.employees, gte: 1000}, points: 40}
    - {id: odd, when: {field: person.extra.flag, equals: true}, points: 3}
    - {id: one, when: {field: person.extra.flag, equals: 1}, points: 4}
    - {id: new, when: {field: person.extra.since, within_last: 7d}, points: 7}
    - {id: unnamed, when: {not: {field: person.company, exists: true}}, points: -5}
    - {id: bot, when: {field: quality, contains: bot}, points: -60}
    - {id: mail, when: {field: consent.marketing_email, equals: true}, points: 5}
  groups: {person: {max: 40}}
engagement: {rules: [{id: form, on: form_submitted, points: 10}]}
grade: {fit: {A: 50, B: 30, C: 10}, engagement: {1: 9, 2: 5, 3: 1}}
qualify: {hand_raise: [demo_requested]}
""")  # noqa: E501 a rule a line
FLAGS = st.sampled_from([None, True, False, 1, 1.0, 0, "true", "1", [], [True], {"a": 1}])
PERSON = st.fixed_dictionaries(
    {},
    optional={
        "seniority": st.sampled_from(["founder", "VP", "junior", "", " "]),
        "function": st.sampled_from(["sales", "it"]),
        "job_title": st.sampled_from(["Head of selling", "Cook", "x" * 300]),
        "employees": st.one_of(st.none(), st.integers(990, 1010), st.just("2000")),
        "company": st.sampled_from(["Acme", " "]),
        "extra": st.fixed_dictionaries(
            {}, optional={"flag": FLAGS, "since": st.sampled_from(["2026-09-01T00:00:00Z", "2026-09-06T00:00:00Z"])}
        ),
    },
)
VIEWS = st.builds(
    View,
    person=PERSON,
    consent=st.sampled_from([{}, {"marketing_email": True}, {"marketing_email": False}]),
    quality=st.sampled_from([(), ("bot",), ["test", "bot"]]),
)
TIMES = st.sampled_from([1_788_400_000.0, 1_788_800_000.0, 1_789_500_000.0])  # September of 2026


@given(st.lists(st.tuples(VIEWS, TIMES), min_size=1, max_size=30), st.integers(1, 3))
def test_what_is_looked_up_is_what_would_be_reckoned(seen: list[tuple[View, float]], most: int) -> None:
    table = FitTable(RULESET.fit, RULESET.fit_groups, RULESET.fit_max)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "MOST", most)
        found = [table.account(view, now) for view, now in seen]
    reckoned = [
        account("fit", fit_lines(view, now, RULESET.fit), RULESET.fit_groups, RULESET.fit_max) for view, now in seen
    ]

    assert reckoned == found


def test_true_and_one_are_told_apart_though_they_are_equal() -> None:
    of_true = points(scored([lead("a", "form_submitted", attributes={"flag": True})], RULESET)[0][0], "fit")
    of_one = points(scored([lead("b", "form_submitted", attributes={"flag": 1})], RULESET)[0][0], "fit")

    assert ({"odd": 3.0}, {"one": 4.0}) == (
        {rule: n for rule, n in of_true.items() if rule in ("odd", "one")},
        {rule: n for rule, n in of_one.items() if rule in ("odd", "one")},
    )


def test_a_condition_on_the_age_of_something_is_looked_at_each_time() -> None:
    new = lead("a", "form_submitted", attributes={"since": "2026-09-06T00:00:00Z", "company": "Acme"})
    later = lead("b", "page_viewed", timedelta(days=30))
    records, _ = scored([new, later], RULESET)

    assert [7.0, 0.0] == [record.fit for record in records]


def test_headers_that_travel_on_come_in_their_own_order_and_the_last_of_a_name_counts() -> None:
    given_headers = [("b", b"1"), ("a", b"2"), ("c", b"3"), ("b", "4\u00e9".encode()), ("a", None)]

    assert [("a", b"2"), ("b", "4\u00e9".encode())] == passed_on(given_headers, ("a", "b"))
    assert [("a", "\ufffd".encode())] == passed_on([("a", b"\xff")], ("a", "b"))
    assert [] == passed_on(None)
