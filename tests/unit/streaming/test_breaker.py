from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.breaker import Breaker

outcomes = st.lists(st.booleans(), max_size=60)
rounds = st.lists(outcomes, max_size=15)


def longest_run(failed: list[bool]) -> int:
    longest = run = 0
    for bad in failed:
        run = run + 1 if bad else 0
        longest = max(longest, run)
    return longest


def most_in_a_window(failed: list[bool], window: int) -> int:
    return max((sum(failed[start : start + window]) for start in range(len(failed))), default=0)


def test_it_opens_on_the_hundredth_failure_in_a_row_and_not_on_the_ninety_ninth() -> None:
    breaker = Breaker()

    assert breaker.note([True] * 99, now=0.0)
    assert breaker.would_open([True]) == "100 records in a row failed"
    assert not breaker.note([True], now=0.0)
    assert breaker.is_open
    assert breaker.reason == "100 records in a row failed"


def test_a_row_goes_on_over_rounds_that_failed_as_a_whole() -> None:
    breaker = Breaker(consecutive=100)
    closed = [breaker.note([True] * 40, now=0.0) for _ in range(3)]

    assert closed == [True, True, False]


def test_one_good_record_ends_a_row() -> None:
    breaker = Breaker(consecutive=3, share=1.0)

    assert breaker.note([True, True], now=0.0)
    assert breaker.note([False, True, True], now=0.0)
    assert breaker.note([False], now=0.0)
    assert not breaker.is_open


def test_it_opens_when_half_of_the_last_thousand_failed() -> None:
    breaker = Breaker(consecutive=1000)
    alternating = [False, True] * 499

    assert breaker.note(alternating, now=0.0)
    assert breaker.would_open([False, True]) == "500 of the last 1000 records failed"


def test_failures_older_than_the_window_no_longer_count() -> None:
    breaker = Breaker(consecutive=100, share=0.5, window=4)

    assert breaker.note([True, False, False, False], now=0.0)
    assert breaker.note([True, False, False, False], now=0.0)
    assert breaker.note([True], now=0.0)
    assert breaker.would_open([True]) == "2 of the last 4 records failed"


def test_a_stop_is_found_inside_a_round_that_ends_well() -> None:
    breaker = Breaker(consecutive=3)

    assert breaker.would_open([False, True, True, True, False, False]) == "3 records in a row failed"


def test_it_lets_a_trial_through_after_a_while_and_closes_when_that_passes() -> None:
    breaker = Breaker(consecutive=2, resume_seconds=60.0)
    breaker.note([True, True], now=1000.0)

    assert [breaker.may_try(now) for now in (1000.0, 1059.9, 1060.0)] == [False, False, True]
    before, closed, after = breaker.is_open, breaker.note([False], now=1061.0), breaker.is_open
    assert (before, closed, after) == (True, True, False)
    assert breaker.reason == ""
    assert breaker.may_try(1061.0)


def test_a_trial_that_fails_holds_it_open_for_as_long_again() -> None:
    breaker = Breaker(consecutive=2, resume_seconds=60.0)
    breaker.note([True, True], now=1000.0)
    breaker.note([True, True], now=1060.0)

    assert [breaker.may_try(now) for now in (1061.0, 1119.9, 1120.0)] == [False, False, True]


def test_without_a_time_to_resume_only_a_person_closes_it() -> None:
    breaker = Breaker(consecutive=2, resume_seconds=0)
    breaker.note([True, True], now=0.0)

    assert not breaker.may_try(1e9)

    breaker.close()

    assert breaker.may_try(0.0)
    assert breaker.note([True], now=0.0)


def test_a_round_without_records_says_nothing() -> None:
    breaker = Breaker(consecutive=1)
    breaker.note([True], now=0.0)

    assert not breaker.note([], now=100.0)
    assert breaker.is_open


@pytest.mark.parametrize(
    "limits", [{"consecutive": 0}, {"window": 0}, {"share": 0.0}, {"share": 1.1}, {"resume_seconds": -1.0}]
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a breaker needs"):
        Breaker(**limits)  # type: ignore[arg-type]


@given(rounds, st.integers(1, 12), st.sampled_from([0.1, 0.5, 0.75, 1.0]), st.integers(1, 40))
def test_what_was_committed_never_holds_too_many_failures(
    rounds: list[list[bool]], consecutive: int, share: float, window: int
) -> None:
    breaker = Breaker(consecutive, share, window, resume_seconds=1.0)
    committed: list[bool] = []
    for number, failed in enumerate(rounds):
        if breaker.note(failed, now=float(number)):
            committed += failed

    assert longest_run(committed) < consecutive
    assert most_in_a_window(committed, window) < share * window


@given(outcomes, st.integers(1, 12), st.sampled_from([0.1, 0.5, 1.0]), st.integers(1, 40))
def test_it_never_opens_without_a_cause(failed: list[bool], consecutive: int, share: float, window: int) -> None:
    opens = bool(Breaker(consecutive, share, window).would_open(failed))
    cause = longest_run(failed) >= consecutive or most_in_a_window(failed, window) >= share * window

    assert cause == opens


@given(outcomes, st.lists(st.integers(0, 60), max_size=6))
def test_how_the_input_is_cut_into_rounds_does_not_matter(failed: list[bool], cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(failed)) for cut in cuts), len(failed)]
    in_parts, at_once = Breaker(5, 0.5, 20), Breaker(5, 0.5, 20)
    stopped = not all(in_parts.note(failed[start:end], now=0.0) for start, end in itertools.pairwise(edges))

    assert bool(at_once.would_open(failed)) == stopped


def test_a_burst_longer_than_the_limit_passes_only_where_a_person_says_how_much_may_fail() -> None:
    breaker = Breaker(consecutive=100)
    burst = [False] * 10 + [True] * 150 + [False] * 50
    breaker.note(burst, now=0.0)

    breaker.close()
    assert breaker.would_open(burst) == "100 records in a row failed"

    breaker.close(allowance=150)
    assert breaker.note(burst, now=1.0)
    assert not breaker.is_open


def test_what_fails_beyond_the_allowance_is_counted_afresh() -> None:
    breaker = Breaker(consecutive=10)
    breaker.close(allowance=20)

    assert breaker.note([True] * 29, now=0.0)
    assert breaker.allowance == 0
    assert breaker.would_open([True]) == "10 records in a row failed"


def test_failures_that_may_pass_do_not_count_towards_the_share_either() -> None:
    breaker = Breaker(consecutive=1000, share=0.5, window=100)
    breaker.close(allowance=60)

    assert breaker.note([True] * 60 + [True] * 49, now=0.0)
    assert breaker.would_open([True]) == "50 of the last 100 records failed"


def test_an_allowance_ends_when_a_window_of_good_records_follows_its_failures() -> None:
    breaker = Breaker(consecutive=5, window=20)
    breaker.close(allowance=1000)

    assert breaker.note([True] * 7 + [False] * 19 + [True], now=0.0)
    assert breaker.allowance == 992
    assert breaker.note([False] * 12, now=0.0)
    assert breaker.note([False] * 7, now=0.0)
    assert breaker.allowance == 992
    assert breaker.note([False], now=0.0)
    assert breaker.allowance == 0
    assert breaker.would_open([True] * 5) == "5 records in a row failed"


def test_good_records_that_lead_up_to_the_burst_use_up_no_allowance() -> None:
    breaker = Breaker(consecutive=5, window=20)
    breaker.close(allowance=50)

    assert breaker.note([False] * 100, now=0.0)
    assert breaker.note([False] * 30 + [True] * 50, now=0.0)


def test_another_word_takes_back_what_was_left_of_the_first() -> None:
    breaker = Breaker(consecutive=5)
    breaker.close(allowance=50)
    breaker.close()

    assert breaker.would_open([True] * 5) == "5 records in a row failed"


def test_a_round_that_is_not_committed_uses_up_no_allowance() -> None:
    breaker = Breaker(consecutive=5)
    breaker.close(allowance=10)

    assert not breaker.note([True] * 15, now=0.0)
    assert breaker.allowance == 10


def test_fewer_than_no_failures_cannot_be_let_pass() -> None:
    with pytest.raises(ValueError, match="allowance of -1"):
        Breaker().close(allowance=-1)


@given(rounds, st.integers(1, 12), st.integers(1, 40), st.integers(0, 80))
def test_beyond_what_was_let_pass_the_limits_hold(
    rounds: list[list[bool]], consecutive: int, window: int, allowance: int
) -> None:
    breaker = Breaker(consecutive, 0.5, window, resume_seconds=1.0)
    breaker.close(allowance)
    committed = [bad for number, failed in enumerate(rounds) if breaker.note(failed, float(number)) for bad in failed]
    passed = [n for n, bad in enumerate(committed) if bad][:allowance]
    after = committed[passed[-1] + 1 :] if passed else committed

    assert longest_run(after) < consecutive
    assert most_in_a_window(after, window) < 0.5 * window


@given(rounds, st.integers(1, 12))
def test_as_many_failures_pass_as_were_allowed_while_things_go_badly(rounds: list[list[bool]], size: int) -> None:
    breaker = Breaker(1, 0.5, window=size)
    breaker.close(sum(map(sum, rounds)))
    gone_well = longest_run([not bad for failed in rounds for bad in failed]) >= size

    assert gone_well or all(breaker.note(failed, now=0.0) for failed in rounds if failed)
