from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust.calls import insist
from streaming.faust.watchdog import Watchdog

TIMED_OUT = KafkaError(KafkaError._TIMED_OUT, "too slow", retriable=True)


def call_that(times_out: Callable[[int], bool], timeouts: list[float]) -> Callable[[float], None]:
    def abort_transaction(timeout: float) -> None:
        timeouts.append(timeout)
        if times_out(len(timeouts)):
            raise KafkaException(TIMED_OUT)

    return abort_transaction


def test_a_call_that_times_out_is_made_again() -> None:
    timeouts: list[float] = []
    insist(Watchdog(), call_that(lambda n: n < 3, timeouts), seconds=5, patience=60)
    assert timeouts == [5, 5, 5]


def test_a_process_that_is_to_end_makes_no_call_again() -> None:
    timeouts: list[float] = []
    watchdog = Watchdog()
    watchdog.hurry(0)
    with pytest.raises(KafkaException):
        insist(watchdog, call_that(lambda n: n < 3, timeouts), seconds=5, patience=60)
    assert timeouts == [1]


def test_a_call_under_way_when_the_end_comes_is_the_last() -> None:
    timeouts: list[float] = []
    watchdog = Watchdog()

    def times_out(n: int) -> bool:
        if n == 2:
            watchdog.hurry(0)
        return n < 9

    with pytest.raises(KafkaException):
        insist(watchdog, call_that(times_out, timeouts), seconds=5, patience=60)
    assert timeouts == [5, 5]


def test_until_the_end_is_near_a_call_is_made_again() -> None:
    timeouts: list[float] = []
    watchdog = Watchdog()
    watchdog.hurry(60)
    insist(watchdog, call_that(lambda n: n < 3, timeouts), seconds=5, patience=60)
    assert timeouts == [5, 5, 5]
