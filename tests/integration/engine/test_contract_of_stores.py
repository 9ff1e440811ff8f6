"""The contract of a stage whose state is kept in a store of its own, on every runner."""

from __future__ import annotations

import dataclasses

from streaming.stage import Batch
from tests.integration.engine.drivers import Driver
from tests.integration.engine.stages import MemoryStore, Passing, tallying


def test_a_stage_with_a_store_goes_on_where_the_store_says(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store))
    for key in (b"ana", b"bo", b"ana"):
        driver.send(driver.name("events"), key, b"x")
    driver.settle()
    driver.restart()
    driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert store.totals == {b"ana": 3, b"bo": 1}
    assert sum(store.positions.values()) == 4
    assert driver.records(driver.name("tallies")) == []


def test_what_a_store_is_given_to_publish_is_in_order_with_the_failed_records_in_it(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store))
    for value in (b"x", b"explode", b"x"):
        driver.send(driver.name("events"), b"ana", value)
    driver.settle()
    tallies = [output.value for output in store.outbox if output.topic == driver.name("tallies")]
    [failed] = [output for output in store.outbox if output.topic == driver.name("tallying.failed")]

    assert tallies == [b"1", b"2"]
    assert store.totals == {b"ana": 2}
    assert (failed.key, failed.value) == (b"ana", b"explode")
    assert dict(failed.headers)["baton_reason"] == b"handler_error"


def test_a_fault_of_the_store_that_passes_costs_nothing_and_blames_nobody(driver: Driver) -> None:
    store = MemoryStore(faults=[Passing("connection lost"), Passing("deadlock")] * 2)
    driver.start(tallying(driver.name, store), consecutive=1)  # one bad record would open the breaker
    for _ in range(3):
        driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert store.totals == {b"ana": 3}
    assert driver.records(driver.name("tallying.failed")) == []
    assert [output.topic for output in store.outbox] == [driver.name("tallies")] * 3


def test_a_fault_that_passes_inside_a_handler_blames_no_record(driver: Driver) -> None:
    store, calls = MemoryStore(), 0
    stage = tallying(driver.name, store)

    def shaken(batch: Batch[None]) -> None:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise Passing("lock timeout")
        stage.handler(batch)

    driver.start(dataclasses.replace(stage, handler=shaken), consecutive=1)
    driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert store.totals == {b"ana": 1}
    assert [output.topic for output in store.outbox] == [driver.name("tallies")]


def test_a_worker_that_was_overtaken_goes_on_where_the_other_one_is(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store))
    for _ in range(2):
        driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()
    [slot] = store.positions
    store.positions[slot] = 4  # another worker has worked on two records that we have not seen yet
    for _ in range(3):
        driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert store.totals == {b"ana": 3}
    assert store.positions == {slot: 5}


def test_a_stop_leaves_a_store_as_it_was(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store), consecutive=1)
    for value in (b"explode", b"x"):
        driver.send(driver.name("events"), b"ana", value)
    reason = driver.wait_for_stop("tallying")

    assert reason == "a record failed"
    assert (store.totals, store.positions, store.outbox) == ({}, {}, [])
