"""A burst of bad records, on every runner: the stage stops, nothing past the stop is committed, a person decides."""

from __future__ import annotations

import pytest
from kafka.partitioner.default import murmur2

from tests.integration.engine.drivers import MAX_RECORDS, PARTITIONS, Driver
from tests.integration.engine.stages import MemoryStore, counting, tallying

LIMIT = 5
BURST = 20
GOOD_BEFORE, GOOD_AFTER = 30, 30


def burst(driver: Driver, bad: bytes = b"refuse") -> None:
    """Good records, more bad ones in a row than the limit, good ones again; all in one partition."""
    for value in [b"x"] * GOOD_BEFORE + [bad] * BURST + [b"x"] * GOOD_AFTER:
        driver.send(driver.name("events"), b"ana", value)


def committed(driver: Driver) -> tuple[int, int, int]:
    """How many records the stage has behind it, how many it counted, and how many failed."""
    counted, failed = driver.records(driver.name("counts")), driver.records(driver.name("counting.failed"))
    return driver.committed("counting"), len(counted), len(failed)


def test_a_burst_stops_the_stage_and_it_stays_stopped_until_it_is_told(driver: Driver) -> None:
    driver.start(counting(driver.name), consecutive=LIMIT, by_itself=False)
    burst(driver)
    reason = driver.wait_for_stop("counting")
    at_the_stop = committed(driver)
    driver.close_breaker("counting")
    again = driver.wait_for_stop("counting")

    assert reason == again == "5 records in a row failed"
    assert at_the_stop[2] < LIMIT
    assert at_the_stop[0] == at_the_stop[1] + at_the_stop[2] <= GOOD_BEFORE + LIMIT - 1
    assert committed(driver)[2] < 2 * LIMIT


def test_a_burst_passes_where_a_person_lets_so_many_fail(driver: Driver) -> None:
    driver.start(counting(driver.name), consecutive=LIMIT, by_itself=False)
    burst(driver)
    driver.wait_for_stop("counting")
    driver.close_breaker("counting", allowance=BURST)
    driver.settle()

    assert committed(driver) == (GOOD_BEFORE + BURST + GOOD_AFTER, GOOD_BEFORE + GOOD_AFTER, BURST)


def test_after_a_burst_was_let_pass_the_next_one_stops_the_stage_again(driver: Driver) -> None:
    driver.start(counting(driver.name), consecutive=LIMIT, by_itself=False)
    burst(driver)
    driver.wait_for_stop("counting")
    driver.close_breaker("counting", allowance=BURST)
    driver.settle()
    before = committed(driver)
    burst(driver)
    reason = driver.wait_for_stop("counting")

    assert reason == "5 records in a row failed"
    assert before == (80, 60, 20)
    assert committed(driver)[2] < before[2] + LIMIT


def test_a_burst_stops_a_stage_with_a_store_too_and_passes_on_a_persons_word(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store), consecutive=LIMIT, by_itself=False)
    burst(driver, b"explode")
    driver.wait_for_stop("tallying")
    slot = (driver.name("events"), (murmur2(b"ana") & 0x7FFFFFFF) % PARTITIONS)
    stopped_at = store.positions.get(slot, 0)
    driver.close_breaker("tallying", allowance=BURST)
    driver.settle()

    assert stopped_at < GOOD_BEFORE + LIMIT
    assert store.positions[slot] == GOOD_BEFORE + BURST + GOOD_AFTER
    assert store.totals == {b"ana": GOOD_BEFORE + GOOD_AFTER}


def test_a_burst_of_more_than_a_round_passes_too(driver: Driver) -> None:
    driver.start(counting(driver.name), consecutive=LIMIT, by_itself=False)
    for value in [b"refuse"] * (3 * MAX_RECORDS) + [b"x"]:
        driver.send(driver.name("events"), b"ana", value)
    driver.wait_for_stop("counting")
    driver.close_breaker("counting", allowance=3 * MAX_RECORDS)
    driver.settle()

    assert committed(driver) == (151, 1, 150)


@pytest.mark.parametrize("allowance", [0, 3, 13])
def test_a_word_for_less_than_the_burst_stops_it_again_and_commits_no_more_than_was_allowed(
    driver: Driver, allowance: int
) -> None:
    driver.start(counting(driver.name), consecutive=LIMIT, by_itself=False)
    burst(driver)
    driver.wait_for_stop("counting")
    driver.close_breaker("counting", allowance)
    driver.wait_for_stop("counting")

    assert allowance <= committed(driver)[2] < allowance + 2 * LIMIT
