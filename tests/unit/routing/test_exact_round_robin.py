from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.distribution import NEVER, Seat, direct, least_loaded, weighted_round_robin


def play(weights: list[int], leads: int) -> list[int]:
    """Who gets each of so many leads, by index; fails where a share is missed by a lead or more."""
    total, had, last, order = sum(weights), [0] * len(weights), [NEVER] * len(weights), []
    for n in range(1, leads + 1):
        seats = [Seat(f"{i:03}", w, had[i], last[i]) for i, w in enumerate(weights)]
        chosen = int(weighted_round_robin(seats).rep)
        had[chosen] += 1
        last[chosen] = n
        order.append(chosen)
        worst = max(abs(Fraction(n * w, total) - had[i]) for i, w in enumerate(weights))
        assert worst < 1, (weights, n, had)
    return order


def test_shares_are_exact_after_every_lead_at_the_weights_that_break_stride() -> None:
    order = play([12, 1, 1, 1], 60)

    assert [48, 4, 4, 4] == [order.count(i) for i in range(4)]


def test_plain_stride_breaks_the_bound_at_those_weights() -> None:
    weights, had, passes = [12, 1, 1, 1], [0] * 4, [Fraction(0)] * 4
    worst = Fraction(0)
    for n in range(1, 16):
        chosen = min(range(4), key=lambda i: (passes[i], i))
        passes[chosen] += Fraction(1, weights[chosen])
        had[chosen] += 1
        worst = max(worst, *(abs(Fraction(n * w, 15) - had[i]) for i, w in enumerate(weights)))

    assert worst > 1


def test_shares_are_exact_for_all_small_weights() -> None:
    for candidates in range(1, 5):
        for weights in itertools.product(range(1, 7), repeat=candidates):
            play(list(weights), sum(weights))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=2, max_size=40))
def test_shares_are_exact_for_many_candidates(weights: list[int]) -> None:
    play(weights, sum(weights))  # then everybody has exactly their weight, and it begins anew


def test_shares_stay_exact_over_thousands_of_leads() -> None:
    play([50, 49, 17, 3, 1, 1], 5_000)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_a_round_gives_everybody_their_weight(weights: list[int]) -> None:
    order = play(weights, sum(weights))

    assert weights == [order.count(i) for i in range(len(weights))]


def test_equals_take_turns_and_the_longest_without_a_lead_begins() -> None:
    seats = [Seat("ana", 1, last=7), Seat("bo", 1, last=3), Seat("cem", 1, last=9)]

    assert "bo" == weighted_round_robin(seats).rep


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        ([Seat("ana", 1, open=2), Seat("bo", 3, open=5)], "bo"),  # 2 against 5/3
        ([Seat("ana", 1, open=1), Seat("bo", 1, open=1, last=0)], "ana"),  # never had one
        ([Seat("ana", 1, open=0), Seat("bo", 9, open=1)], "ana"),
    ],
)
def test_the_least_loaded_for_their_weight_is_next(seats: list[Seat], expected: str) -> None:
    assert expected == least_loaded(seats).rep


def test_direct_takes_the_first_of_the_list() -> None:
    assert "bo" == direct([Seat("bo", 1, open=9), Seat("ana", 5)]).rep
