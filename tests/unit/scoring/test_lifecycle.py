from collections.abc import Iterable
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scoring.scoring_world import Record, lead, rules_of, scored

DAY = timedelta(days=1)
DIRECTOR: dict[str, Any] = {"attributes": {"job_title": "VP Sales", "employees": 5_000}}  # fit 40 + 40

QUICK = rules_of("""
version: 1
fit: {rules: [{id: big, when: {field: person.employees, gte: 1000}, points: 80}]}
engagement:
  rules: [{id: visit, on: page_viewed, points: 50, decay: {half_life: 1d}}]
grade: {fit: {A: 75, B: 50, C: 25}, engagement: {1: 75, 2: 50, 3: 25}}
qualify: {mql: {field: engagement, gte: 80}}
""")


def moves(records: Iterable[Record]) -> list[tuple[str, str, str]]:
    return [(r.event_id, r.transition.from_, r.transition.to) for r in records if r.transition]


def reason(record: Record) -> str:
    assert record.transition is not None
    return record.transition.reason


def test_a_lead_becomes_an_mql_at_the_event_at_which_the_condition_holds_and_only_once() -> None:
    records, _ = scored(
        [
            lead("a", "webinar_attended", **DIRECTOR),
            lead("b", "form_submitted", DAY),
            *(lead(f"f{n}", "form_submitted", 2 * DAY) for n in range(4)),
        ]
    )

    # fit 80 is an A; engagement 20, then 29.67 and 39.33, 49.33, 59.33: the sixth makes an A2.
    assert ["A4", "A3", "A3", "A3", "A2", "A2"] == [record.grade for record in records]
    assert [("f2", "inquiry", "mql")] == moves(records)
    assert ["inquiry"] * 4 + ["mql"] * 2 == [record.stage for record in records]


def test_the_reason_says_what_held_and_with_which_score() -> None:
    records, _ = scored([lead("a"), lead("b")], QUICK)

    assert "engagement is at least 80 (100.0)" == reason(records[-1])


def test_who_raises_a_hand_qualifies_at_once() -> None:
    records, _ = scored([lead("a", "demo_requested")])

    assert ("D2", "mql") == (records[0].grade, records[0].stage)
    assert "raised a hand: demo_requested" == reason(records[0])


def test_an_mql_stays_one_when_its_interest_has_faded() -> None:
    records, _ = scored([lead("a"), lead("b"), lead("c", "other", 60 * DAY)], QUICK)

    assert (0.0, "mql", 1) == (records[-1].engagement, records[-1].stage, len(moves(records)))


def test_what_arrives_late_qualifies_a_lead_that_would_have_qualified_in_order() -> None:
    # Two visits within a day, and one event a month later: on the day of the second, engagement was 50 + 35.36.
    events = [lead("a"), lead("b", after=DAY / 2), lead("c", "other", 30 * DAY)]
    for order in permutations(events):
        records, _ = scored(order, QUICK)

        assert "mql" == records[-1].stage
        assert 1 == len(moves(records))


def test_a_late_event_is_looked_at_with_the_next_signals_too() -> None:
    # Late: the first of three; the peak is at the third.
    events = [lead("z", "other", 30 * DAY), lead("b", after=DAY / 4), lead("c", after=DAY / 2, **DIRECTOR), lead("a")]
    strict = rules_of("""
version: 1
fit: {rules: [{id: big, when: {field: person.employees, gte: 1000}, points: 80}]}
engagement:
  max: 200
  rules: [{id: visit, on: page_viewed, points: 50, decay: {half_life: 1d}}]
grade: {fit: {A: 75, B: 50, C: 25}, engagement: {1: 75, 2: 50, 3: 25}}
qualify: {mql: {all: [{field: engagement, gte: 120}, {field: fit, gte: 80}]}}
""")

    records, profile = scored(events, strict)

    # 50 + 50·2^(-1/4) + 50·2^(-1/2) = 50 + 42.04 + 35.36 = 127.40
    assert [("a", "inquiry", "mql")] == moves(records)
    assert "engagement is at least 120 (127.4) and fit is at least 80 (80.0)" == reason(records[-1])
    assert profile.since == events[2].at


def test_a_late_event_that_was_never_enough_qualifies_nobody() -> None:
    records, _ = scored([lead("a", "other", 30 * DAY), lead("b"), lead("c", after=10 * DAY)], QUICK)

    assert [] == moves(records)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 96), min_size=1, max_size=8, unique=True),
    st.randoms(use_true_random=False),
)
def test_where_signals_only_add_no_order_of_arrival_loses_a_qualification(hours: list[int], random: Random) -> None:
    events = [lead(f"e{hour}", after=timedelta(hours=hour)) for hour in sorted(hours)]
    shuffled = random.sample(events, len(events))

    in_order, late = scored(events, QUICK)[0], scored(shuffled, QUICK)[0]

    assert in_order[-1].stage == late[-1].stage


def test_qualifying_may_look_at_consent_segments_and_the_event_at_hand() -> None:
    ruleset = rules_of("""
version: 1
fit: {rules: [{id: big, when: {field: person.employees, gte: 1000}, points: 80}]}
engagement: {rules: [{id: visit, on: page_viewed, points: 50}]}
grade: {fit: {A: 75, B: 50, C: 25}, engagement: {1: 75, 2: 50, 3: 25}}
segments: [{id: large, when: {field: person.employees, gte: 1000}}]
qualify:
  mql:
    all:
      - {field: segments, contains: large}
      - {field: consent.phone, equals: true}
      - {field: event.type, equals: chat_started}
      - not: {field: quality, contains: bot}
""")
    events = [
        lead("a", "chat_started", **DIRECTOR),
        lead("b", "page_viewed", consent=[{"purpose": "phone", "granted": True}]),
        lead("c", "chat_started"),
    ]

    assert [("c", "inquiry", "mql")] == moves(scored(events, ruleset)[0])
