import json
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scoring import lines
from services.scoring.cents import apportioned, to_cents
from services.scoring.lines import Line, limited
from services.scoring.rule import Limit
from tests.unit.scoring.scoring_world import START, lead, points, rules_of, scored

DAY = timedelta(days=1)
PRICING: dict[str, Any] = {"properties": {"path": "/pricing/teams"}}
VP = {"attributes": {"job_title": "VP Sales"}}


def line(rule: str, units: int, group: str | None = None) -> Line:
    return lines.head(rule, "engagement"), units, lines.rest(units, "words"), group


def account(given_lines: list[Line], caps: Mapping[str, float], most: float) -> tuple[Fraction, dict[str, Fraction]]:
    """The score, and the points by rule, exactly as they are written."""
    found = lines.account("engagement", given_lines, caps, most)
    read = json.loads(b"[" + found.lines + b"]", parse_float=Fraction)
    return Fraction(str(found.score)), {one["rule"]: one["points"] for one in read}


def in_micros(*hours: float) -> list[int]:
    start = int(START.timestamp()) * 1_000_000
    return [start + int(hour * 3_600_000_000) for hour in hours]


def test_signals_fade_each_by_its_own_rule() -> None:
    records, _ = scored(
        [
            lead("a", "webinar_attended"),
            lead("b", "demo_requested", timedelta(days=1)),
            lead("c", "page_viewed", timedelta(days=8), **PRICING),
            lead("d", "form_submitted", timedelta(days=15)),
        ]
    )

    # webinar, 15 of 60 days: 20·(1 − 15/60) = 15; demo, 14 of 30 days: 60; pricing after one half-life: 16/2 = 8;
    # any page after one half-life: 3/2; a form does not age: 10.
    assert {"webinar": 15.0, "demo": 60.0, "pricing": 8.0, "page": 1.5, "form": 10.0} == points(records[-1])
    assert (94.5, "D1") == (records[-1].engagement, records[-1].grade)


def test_a_window_ends_at_its_end_and_a_linear_decay_at_its_own() -> None:
    at_the_end = [lead("a", "demo_requested"), lead("b", "webinar_attended"), lead("c", "x", 30 * DAY)]
    just_before = [*at_the_end[:2], lead("c", "x", 30 * DAY - timedelta(microseconds=1))]
    gone = [*at_the_end, lead("d", "x", 60 * DAY)]

    assert {"webinar": 10.0} == points(scored(at_the_end)[0][-1])
    assert {"webinar": 10.0, "demo": 60.0} == points(scored(just_before)[0][-1])
    assert {} == points(scored(gone)[0][-1])


def test_of_a_rule_with_a_limit_the_first_of_each_utc_day_count() -> None:
    hours = [0, 1, 2, 3, 11.999, 12, 13]  # the start is noon: the sixth is the next day's first
    events = [lead(f"e{n}", after=timedelta(hours=hour), **PRICING) for n, hour in enumerate(hours)]

    [line] = [line for line in scored(events)[0][-1].explanation if line.rule == "pricing"]

    assert 5 * 16.0 == line.from_points


def test_weeks_begin_on_monday_whether_they_are_written_as_weeks_or_days() -> None:
    week = Limit(1, 7 * 86_400)
    sunday_and_monday = in_micros(-13, -11, 0)  # 2026-09-06T23:00, 2026-09-07T01:00 and 12:00

    assert in_micros(-13, -11) == list(limited(sunday_and_monday, week))


def test_a_late_event_takes_its_place_in_the_limit() -> None:
    early = [lead(f"e{n}", after=timedelta(hours=n), **PRICING) for n in range(4)]
    records, _ = scored([early[3], early[2], early[1], early[0]])

    [line] = [line for line in records[-1].explanation if line.rule == "pricing"]
    at_hand = 16 * (2 ** (-3 / 168) + 2 ** (-2 / 168) + 2 ** (-1 / 168))

    assert round(at_hand, 2) == line.points
    assert 48.0 == line.from_points


def test_a_group_is_cut_and_the_cut_is_a_line_of_its_own() -> None:
    events = [lead(f"e{n}", attributes={"job_title": "VP Sales"}) for n in range(3)]
    record = scored(events)[0][-1]

    assert {"boss": 30.0, "seller": 20.0, "group:person": -10.0} == points(record, "fit")
    assert {"page": 9.0, "group:reading": -1.0} == points(record, "engagement")
    assert (40.0, 8.0) == (record.fit, record.engagement)


def test_the_whole_is_cut_at_its_maximum_and_at_nothing() -> None:
    many = scored([lead("a", "demo_requested"), *(lead(f"f{n}", "form_submitted") for n in range(5))])[0][-1]
    gone = scored([lead("a", "unsubscribed"), lead("b", "form_submitted", subject={"email": "ana@gmail.com"})])[0][-1]

    assert {"demo": 60.0, "form": 50.0, "max:engagement": -10.0} == points(many)
    assert 100.0 == many.engagement
    assert {"form": 10.0, "gone": -50.0, "min:engagement": 40.0, "free-mail": -20.0, "min:fit": 20.0} == points(gone)
    assert (0.0, 0.0) == (gone.fit, gone.engagement)


def test_thresholds_compare_what_is_shown() -> None:
    ruleset = rules_of("""
version: 1
fit: {rules: []}
engagement: {rules: [{id: w, on: w, points: 10, decay: {linear: 3000s}}]}
grade: {fit: {A: 3, B: 2, C: 1}, engagement: {1: 9.99, 2: 5, 3: 1}}
qualify: {hand_raise: [x]}
""")
    shown = [  # 10·(1 − a/3000): 9.98666… is shown as 9.99, 9.98333… as 9.98
        scored([lead("a", "w"), lead("b", "z", timedelta(seconds=age))], ruleset)[0][-1] for age in (4, 5)
    ]

    assert [(9.99, "D1"), (9.98, "D2")] == [(record.engagement, record.grade) for record in shown]


def test_rounding_takes_no_cent_from_the_sum() -> None:
    score, points_of = account([line(f"r{n}", 333_333_333) for n in range(3)], {}, 100)

    assert 10 == score
    assert {"r0": Fraction("3.34"), "r1": Fraction("3.33"), "r2": Fraction("3.33")} == points_of


def test_half_a_cent_goes_to_the_even_one() -> None:
    assert [12, 14, -12, 13] == [to_cents(units) for units in (12_500_000, 13_500_000, -12_500_000, 12_500_001)]


UNITS = st.one_of(st.integers(-(10**11), 10**11), st.integers(-100_000, 100_000).map(lambda cents: cents * 10**6))
MAXIMA = st.integers(1, 50_000).map(lambda cents: cents / 100)


@given(
    st.lists(st.tuples(UNITS, st.sampled_from([None, "g", "h"])), max_size=30),
    MAXIMA,
    MAXIMA,
    MAXIMA,
)
def test_lines_add_up_to_the_score_and_no_cap_is_passed(
    given_lines: list[tuple[int, str | None]], g: float, h: float, most: float
) -> None:
    caps = {"g": g, "h": h}

    score, points_of = account(
        [line(f"r{n}", units, group) for n, (units, group) in enumerate(given_lines)], caps, most
    )
    group_of = {f"r{n}": group for n, (_, group) in enumerate(given_lines)} | {"group:g": "g", "group:h": "h"}
    sums = {name: sum(n for rule, n in points_of.items() if group_of.get(rule) == name) for name in caps}
    exact: float = sum(units for units, group in given_lines if group is None)
    exact += sum(
        min(cap * 10**8, sum(units for units, group in given_lines if group == name)) for name, cap in caps.items()
    )

    assert score == sum(points_of.values())
    assert 0 <= score <= Fraction(str(most))
    assert all(sums[name] <= Fraction(str(cap)) for name, cap in caps.items())
    assert abs(score - min(max(exact / 10**8, 0), most)) <= 0.005 + 1e-6


@given(st.lists(UNITS, max_size=40))
def test_no_line_is_moved_by_a_whole_cent(values: list[int]) -> None:
    shares = apportioned(values, to_cents(sum(values)))

    assert to_cents(sum(values)) == sum(shares)
    assert all(abs(share * 10**6 - units) < 10**6 for share, units in zip(shares, values, strict=True))
