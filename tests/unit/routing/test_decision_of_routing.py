from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.routed import AssignmentStatus
from services.routing import offers, records
from services.routing.decision import Decision, Suppressed, count, place, route
from services.routing.offers import Held
from services.routing.plan import Plan
from services.routing.standing import Book, RepStanding
from tests.unit.routing import world

PLAN = world.plan()
QUEUE = PLAN.queues["enterprise"]


def routed(book: Book, **fields: object) -> Decision:
    found = route(world.lead("lena", **fields), PLAN, book)
    assert isinstance(found, Decision)
    return found


def test_suppression_comes_before_every_rule() -> None:
    found = route(world.lead("lena", quality=["test"], segments=["enterprise"]), PLAN, Book(world.NOON))

    assert Suppressed("suppress-1", "test lead") == found


def test_the_first_rule_that_matches_decides() -> None:
    book = Book(world.NOON)

    assert ("big", "enterprise") == (
        (one := routed(book, segments=["enterprise"])).rule.id,
        one.placement.queue,
    )
    assert ("rest", "general") == ((one := routed(book)).rule.id, one.placement.queue)


def test_the_same_lead_plan_and_standings_give_the_same_decision() -> None:
    assert routed(Book(world.NOON)) == routed(Book(world.NOON))


@pytest.mark.parametrize(
    ("roster", "standing", "reason"),
    [
        ("capacity: 2", RepStanding(open=2), "at capacity: holds 2 of 2"),
        ("daily_cap: 3", RepStanding(day=date(2026, 9, 24), taken=3), "daily cap reached: 3 of 3"),
        (
            "weight: 1",
            RepStanding(away="at a fair", away_until=world.NOON + 60),
            "away until 2026-09-24 12:01 UTC: at a fair",
        ),
        ("weight: 1", RepStanding(away=""), "away"),
        ("skills: []", RepStanding(), "lacks the skill enterprise"),
    ],
)
def test_a_candidate_who_is_left_out_is_listed_with_the_reason(roster: str, standing: RepStanding, reason: str) -> None:
    ana = world.ROSTER.replace("id: ana, team: emea, weight: 2", f"id: ana, team: emea, {roster}")
    if roster == "skills: []":
        ana = world.ROSTER.replace("weight: 2, skills: [enterprise]", roster)
    plan = world.plan(roster=ana)
    made = place(plan.queues["enterprise"], Book(world.NOON, {"ana": standing}))

    assert made.rep is not None
    assert "bo" == made.rep.id
    assert [("ana", False, reason), ("bo", True)] == [
        (made.candidates[0].rep, made.candidates[0].eligible, made.candidates[0].reason),
        (made.candidates[1].rep, made.candidates[1].eligible),
    ]


def test_a_cap_of_yesterday_and_an_absence_that_is_over_hold_nobody_back() -> None:
    standing = RepStanding(day=date(2026, 9, 23), taken=99, away="ill", away_until=world.NOON)
    plan = world.plan(roster=world.ROSTER.replace("id: ana,", "id: ana, daily_cap: 1,"))
    made = place(plan.queues["enterprise"], Book(world.NOON, {"ana": standing}))

    assert made.rep is not None
    assert "ana" == made.rep.id


def test_with_nobody_available_the_lead_waits() -> None:
    away = {name: RepStanding(away="") for name in ("ana", "bo")}
    made = place(QUEUE, Book(world.NOON, away))

    assert (None, "nobody is available") == (made.rep, made.reason)


def test_who_declined_is_not_asked_again_and_no_share_counts_it() -> None:
    book = Book(world.NOON)
    made = place(QUEUE, book, {"ana"})
    count(made, book)

    assert made.rep is not None
    assert ("bo", None, {}) == (made.rep.id, made.shared, book.queue("enterprise").had)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["lead", "ana away", "ana back", "decline"]), max_size=120))
def test_shares_are_exact_from_the_moment_the_candidates_changed(happenings: list[str]) -> None:
    """Whatever happens in between: since the last change each candidate has its share to within one lead."""
    book = Book(world.NOON)
    since: Counter[str] = Counter()
    candidates: tuple[tuple[str, int], ...] = ()
    for what in happenings:
        if what == "ana away":
            book.rep("ana").away = ""
        elif what == "ana back":
            book.rep("ana").away = None
        elif what == "decline":
            count(place(QUEUE, book, {"bo"}), book)
        else:
            made = place(QUEUE, book)
            now = tuple((rep.id, rep.weight) for rep in QUEUE.members if book.rep(rep.id).away is None)
            if now != candidates:
                candidates, since = now, Counter()
            count(made, book)
            assert made.rep is not None
            since[made.rep.id] += 1
            whole, n = sum(weight for _, weight in now), since.total()

            assert all(abs(Fraction(n * weight, whole) - since[rep]) < 1 for rep, weight in now)


def test_somebody_who_comes_back_gets_no_flood() -> None:
    book = Book(world.NOON, {"ana": RepStanding(away="")})
    for _ in range(100):
        count(place(QUEUE, book), book)
    book.rep("ana").away = None
    after = []
    for _ in range(6):
        made = place(QUEUE, book)
        count(made, book)
        assert made.rep is not None
        after.append(made.rep.id)

    assert {"ana": 4, "bo": 2} == Counter(after)


def test_a_manager_is_asked_after_the_tries() -> None:
    plan = world.plan(
        world.ROUTING.replace(
            "{team: emea, skills: [enterprise]}",
            "{team: emea}, offer: {within: 15m, tries: 1, then: manager}, manager: dee",
        )
    )
    held = Held("a", "lena", "enterprise", "ana", "offered", 1, 1, world.NOON, tries=1)
    after, steps = offers.refused(held, "expired", "late", plan, book := Book(world.NOON, {"ana": RepStanding(open=1)}))

    assert [("expired", "ana"), ("offered", "dee")] == [(step.status, step.rep) for step in steps]
    assert (0, 1, True) == (book.rep("ana").open, book.rep("dee").open, after.escalated)


def offering(then: str, manager: str = "") -> Plan:
    """The pool of enterprise is ana and bo; more tries than people."""
    pool = "{team: emea, skills: [enterprise]}"
    more = f"{pool}, offer: {{within: 15m, tries: 3, then: {then}}}"
    return world.plan(world.ROUTING.replace(pool, f"{more}, manager: {manager}" if manager else more))


def declined_by_all(plan: Plan, book: Book) -> tuple[Held, list[tuple[AssignmentStatus, str | None]]]:
    """A lead that whoever is asked declines, as long as somebody is asked; and what became of it, step by step."""
    held, steps = offers.begin("a", "lena", place(plan.queues["enterprise"], book), book)
    happened = [(step.status, step.rep) for step in steps]
    while held.rep is not None:
        assert len(happened) < 20
        held, steps = offers.refused(held, "declined", "no", plan, book)
        happened += [(step.status, step.rep) for step in steps]
    return held, happened


BY_BOTH = [("offered", "ana"), ("declined", "ana"), ("offered", "bo"), ("declined", "bo")]


def test_where_everybody_declined_the_manager_is_asked_once_though_tries_are_left() -> None:
    plan, book = offering("manager", "dee"), Book(world.NOON)
    held, happened = declined_by_all(plan, book)
    again, steps = offers.retried(held, plan, book)

    assert [*BY_BOTH, ("offered", "dee"), ("declined", "dee"), ("waiting", None)] == happened
    assert (True, held, []) == (held.escalated, again, list(steps))
    assert 0 == book.rep("dee").open


def test_a_manager_who_declined_as_one_of_the_pool_is_not_asked_once_more() -> None:
    held, happened = declined_by_all(offering("manager", "bo"), Book(world.NOON))

    assert ([*BY_BOTH, ("waiting", None)], True) == (happened, held.escalated)


def test_where_everybody_declined_a_lead_that_may_wait_is_offered_to_who_was_not_asked() -> None:
    plan, book = offering("wait"), Book(world.NOON)
    held, happened = declined_by_all(plan, book)
    _, nothing = offers.retried(held, plan, book)
    eve = world.ROSTER + "  - {id: eve, team: emea, skills: [enterprise]}\n"
    wider = replace(plan, queues={**plan.queues, "enterprise": world.plan(roster=eve).queues["enterprise"]})
    _, (step,) = offers.retried(held, wider, book)

    assert [*BY_BOTH, ("waiting", None)] == happened
    assert (False, []) == (held.escalated, list(nothing))
    assert ("offered", "eve") == (step.status, step.rep)


def test_a_lead_waits_for_somebody_of_the_pool_who_is_away() -> None:
    plan, book = offering("manager"), Book(world.NOON, {"bo": RepStanding(away="")})
    held, happened = declined_by_all(plan, book)
    book.rep("bo").away = None
    _, (step,) = offers.retried(held, plan, book)

    assert [("offered", "ana"), ("declined", "ana"), ("waiting", None)] == happened
    assert ("offered", "bo") == (step.status, step.rep)


def test_the_time_to_respond_is_business_time() -> None:
    roster = world.ROSTER.replace("id: ana,", "id: ana, calendar: c,") + (
        "calendars: {c: {zone: UTC, hours: {mon-fri: '09:00-12:10'}}}\n"
    )
    plan = world.plan(
        world.ROUTING.replace("{team: emea, skills: [enterprise]}", "{team: emea}, offer: {within: 15m}"), roster
    )
    made = place(plan.queues["enterprise"], Book(world.NOON))

    assert world.NOON + 21 * 3600 + 5 * 60 == made.respond_by  # Friday 09:05


def test_when_candidates_change_everybody_is_level_at_once() -> None:
    book = Book(world.NOON)
    for _ in range(4):
        count(place(QUEUE, book), book)
    book.rep("bo").away = ""
    made = place(QUEUE, book)

    assert "next in turn: had 0 of 0, share 2 of 2, next due by lead 1" == made.reason


def test_a_clock_that_is_no_clock_by_its_length_does_not_travel_on() -> None:
    headers = {"baton_received_at": "2026-09-24T11:59:59.000000Z", "baton_ingested_at": "9" * 500_000}

    assert [("baton_received_at", b"2026-09-24T11:59:59.000000Z")] == records.clock_headers(headers)
