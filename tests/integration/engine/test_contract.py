"""The contract of a stage, on every runner: what holds in memory holds on Kafka."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import datetime

import pytest
from kafka.partitioner.default import murmur2

from streaming.stage import MARK, Batch
from tests.integration.engine.drivers import PARTITIONS, Driver
from tests.integration.engine.seen import headers, numbers, values
from tests.integration.engine.stages import MemoryStore, counting, tallying


def test_every_record_is_worked_on_once_and_in_the_order_of_its_key(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for n in range(300):
        driver.send(driver.name("events"), b"key-%d" % (n % 20), b"%d" % n)
    driver.settle()
    origins: dict[bytes | None, list[bytes | None]] = defaultdict(list)
    for record in driver.records(driver.name("counts")):
        origins[record.key()].append(headers(record)["origin"])

    assert values(driver, "counts") == {b"key-%d" % k: numbers(15) for k in range(20)}
    assert origins == {b"key-%d" % k: [b"%d" % n for n in range(k, 300, 20)] for k in range(20)}
    assert driver.committed("counting") == 300


def test_a_round_sees_what_the_rounds_before_it_wrote(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for value in (b"x", b"x", b"forget", b"x"):
        driver.send(driver.name("events"), b"ana", value)
        driver.settle()

    assert values(driver, "counts") == {b"ana": [b"1", b"2", b"1"]}


def test_state_outlives_its_runner(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for key in (b"ana", b"bo", b"ana"):
        driver.send(driver.name("events"), key, b"x")
    driver.settle()
    driver.restart()
    for key in (b"ana", b"bo", b"cy"):
        driver.send(driver.name("events"), key, b"x")
    driver.settle()

    assert values(driver, "counts") == {b"ana": numbers(3), b"bo": numbers(2), b"cy": numbers(1)}


def test_a_failed_record_is_kept_as_it_came_and_says_why_and_whence(driver: Driver) -> None:
    driver.start(counting(driver.name))
    original = b"fail \xff\x00 {not json"
    came_with = [("kind", b"form"), ("kind", b"twice"), ("nothing", None), ("raw", b"\xff\xfe")]
    driver.send(driver.name("events"), b"ana", b"first")
    driver.send(driver.name("events"), b"ana", original, came_with)
    driver.send(driver.name("events"), b"ana", b"last")
    driver.settle()
    [failed] = driver.records(driver.name("counting.failed"))
    told = headers(failed)

    assert (failed.key(), failed.value()) == (b"ana", original)
    assert list(failed.headers() or ())[:4] == came_with
    assert told["baton_reason"] == b"invalid_json"
    assert told["baton_detail"] == b"line 1: is no JSON; mend it"
    assert told["baton_trace"] == b"the trace"
    assert told["baton_topic"] == driver.name("events").encode()
    assert told["baton_partition"] == b"%d" % ((murmur2(b"ana") & 0x7FFFFFFF) % PARTITIONS)
    assert told["baton_offset"] == b"1"
    assert datetime.fromisoformat((told["baton_failed_at"] or b"").decode()).tzinfo is not None
    assert values(driver, "counts") == {b"ana": numbers(2)}


def test_a_handlers_error_costs_one_record_and_no_neighbour(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for n in range(40):
        driver.send(driver.name("events"), b"ana", b"explode" if n in (0, 17, 18, 39) else b"x")
    driver.settle()
    failed = driver.records(driver.name("counting.failed"))

    assert values(driver, "counts") == {b"ana": numbers(36)}
    assert [headers(record)["baton_offset"] for record in failed] == [b"0", b"17", b"18", b"39"]
    assert {headers(record)["baton_reason"] for record in failed} == {b"handler_error"}
    assert b"ZeroDivisionError: the handler has a fault" in (headers(failed[0])["baton_detail"] or b"")
    assert b"in _count" in (headers(failed[0])["baton_trace"] or b"")


def test_a_record_that_is_refused_says_the_handlers_reason(driver: Driver) -> None:
    driver.start(counting(driver.name))
    driver.send(driver.name("events"), b"ana", b"refuse")
    driver.send(driver.name("events"), None, b"x")
    driver.settle()
    failed = driver.records(driver.name("counting.failed"))
    told = {(headers(record)["baton_reason"], headers(record)["baton_detail"]) for record in failed}

    assert told == {
        (b"schema_violation", b"email: is no address; mend it"),
        (b"no_key", b"the record has no key"),
    }
    assert {record.key() for record in failed} == {b"ana", None}


def test_a_record_whose_state_would_lie_where_the_changelog_keeps_its_mark_fails(driver: Driver) -> None:
    driver.start(counting(driver.name))
    keys = [b"key-%d" % n for n in range(20)]
    for key in (*keys, MARK, *keys):
        driver.send(driver.name("events"), key, b"x")
    driver.send(driver.name("events"), MARK, b"forget")
    driver.settle()
    driver.restart()
    driver.send(driver.name("events"), keys[0], b"x")
    driver.settle()
    failed = driver.records(driver.name("counting.failed"))

    assert [(record.key(), record.value()) for record in failed] == [(MARK, b"x"), (MARK, b"forget")]
    assert {headers(record)["baton_reason"] for record in failed} == {b"reserved_key"}
    assert b"give it another key" in (headers(failed[0])["baton_detail"] or b"")
    assert values(driver, "counts") == {key: numbers(3 if key == keys[0] else 2) for key in keys}


def test_a_tombstone_of_the_input_is_a_record_like_any_other(driver: Driver) -> None:
    driver.start(counting(driver.name))
    driver.send(driver.name("events"), b"ana", None)
    driver.settle()

    assert values(driver, "counts") == {b"ana": numbers(1)}


def test_outputs_bear_the_time_of_their_round_and_failed_records_do_not(driver: Driver) -> None:
    driver.start(counting(driver.name, stamp="baton_counted_at"))
    driver.send(driver.name("events"), b"ana", b"x")
    driver.send(driver.name("events"), b"ana", b"refuse")
    driver.settle()
    [counted] = driver.records(driver.name("counts"))
    [failed] = driver.records(driver.name("counting.failed"))
    stamp = (headers(counted)["baton_counted_at"] or b"").decode()

    assert headers(counted)["origin"] == b"x"
    assert stamp.endswith("Z")
    assert datetime.fromisoformat(stamp).year >= 2023
    assert "baton_counted_at" not in headers(failed)


def test_outputs_stand_in_the_partition_that_every_client_finds_for_their_key(driver: Driver) -> None:
    driver.start(counting(driver.name))
    keys = [b"key-%d" % n for n in range(50)]
    for key in keys:
        driver.send(driver.name("events"), key, b"x")
    driver.settle()
    found = {record.key(): record.partition() for record in driver.records(driver.name("counts"))}

    assert found == {key: (murmur2(key) & 0x7FFFFFFF) % PARTITIONS for key in keys}
    assert set(found.values()) == {0, 1, 2, 3}


def test_what_was_forgotten_stays_forgotten(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for value in (b"x", b"x", b"forget"):
        driver.send(driver.name("events"), b"ana", value)
    driver.settle()
    state = [record for record in driver.records(driver.name("counting.state")) if record.key() == b"ana"]
    driver.restart()
    driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert (state[-1].key(), state[-1].value()) == (b"ana", None)
    assert values(driver, "counts") == {b"ana": [b"1", b"2", b"1"]}


def test_outcomes_sum_to_the_records_that_were_taken(driver: Driver) -> None:
    driver.start(counting(driver.name))
    for n, value in enumerate([b"x", b"again", b"fail", b"explode", b"x", b"again", b"x"]):
        driver.send(driver.name("events"), b"key-%d" % n, value)
    driver.settle()

    assert driver.outcomes("counting") == {"processed": 3, "duplicate": 2, "failed": 2}


def test_one_stage_feeds_the_next(driver: Driver) -> None:
    first, second = counting(driver.name), tallying(driver.name, store := MemoryStore())
    driver.start(first, dataclasses.replace(second, source=driver.name("counts")))
    for _ in range(3):
        driver.send(driver.name("events"), b"ana", b"x")
    driver.settle()

    assert store.totals == {b"ana": 3}


def test_a_stage_stops_when_too_much_fails_and_commits_nothing_past_the_stop(driver: Driver) -> None:
    driver.start(counting(driver.name), consecutive=5)
    for value in [b"x"] * 3 + [b"refuse"] * 8 + [b"x"] * 4:
        driver.send(driver.name("events"), b"ana", value)
    reason = driver.wait_for_stop("counting")
    failed = driver.records(driver.name("counting.failed"))

    assert reason == "5 records in a row failed"
    assert len(failed) < 5
    assert driver.committed("counting") <= 3 + len(failed)
    assert len(driver.records(driver.name("counts"))) <= 3


@pytest.mark.parametrize(("share", "most"), [(0.5, 60), (0.25, 30)])
def test_a_stage_stops_when_too_large_a_share_of_its_last_records_fails(
    driver: Driver, share: float, most: int
) -> None:
    """Each bad record is followed by a good one, so it is never a row of them; the window holds more than a round."""
    driver.start(counting(driver.name), share=share, window=120, by_itself=False)
    for value in [b"refuse", b"x"] * (most - 1):
        driver.send(driver.name("events"), b"ana", value)
    driver.settle()
    before = driver.outcomes("counting")
    driver.send(driver.name("events"), b"ana", b"refuse")
    reason = driver.wait_for_stop("counting")

    assert before == {"processed": most - 1, "failed": most - 1}
    assert reason == f"{most} of the last 120 records failed"
    assert driver.committed("counting") == 2 * (most - 1)
    assert len(driver.records(driver.name("counting.failed"))) == most - 1


def test_a_stage_that_stopped_goes_on_by_itself_once_its_fault_is_mended(driver: Driver) -> None:
    stage, mended = counting(driver.name), False

    def mendable(batch: Batch[int]) -> None:
        if not mended:
            raise ZeroDivisionError("a bad deploy")
        stage.handler(batch)

    driver.start(dataclasses.replace(stage, handler=mendable), consecutive=5)
    for _ in range(20):
        driver.send(driver.name("events"), b"ana", b"x")
    driver.wait_for_stop("counting")
    mended = True
    driver.wait_for_trial()
    lost = len(driver.records(driver.name("counting.failed")))

    assert lost < 5
    assert values(driver, "counts") == {b"ana": numbers(20 - lost)}


def test_a_record_without_a_key_follows_the_partition_of_its_origin(driver: Driver) -> None:
    stage = counting(driver.name)

    def announce(batch: Batch[int]) -> None:
        for record in batch.records:
            batch.emit(driver.name("counts"), None, record.key())
            batch.emit(driver.name("counts"), record.key(), b"to a chosen one", partition=2)

    driver.start(dataclasses.replace(stage, handler=announce))
    keys = [b"key-%d" % n for n in range(12)]
    for key in keys:
        driver.send(driver.name("events"), key, b"x")
    driver.settle()
    records = driver.records(driver.name("counts"))
    unkeyed = {record.value(): record.partition() for record in records if record.key() is None}

    assert unkeyed == {key: (murmur2(key) & 0x7FFFFFFF) % PARTITIONS for key in keys}
    assert {record.partition() for record in records if record.key() is not None} == {2}


def test_failures_in_a_row_are_counted_over_all_partitions(driver: Driver) -> None:
    store = MemoryStore()
    driver.start(tallying(driver.name, store), consecutive=5)
    keys = [b"key-%d" % n for n in range(12)]
    for key in keys:
        driver.send(driver.name("events"), key, b"explode")
    driver.wait_for_stop("tallying")

    assert len({(murmur2(key) & 0x7FFFFFFF) % PARTITIONS for key in keys}) == PARTITIONS
    assert sum(store.positions.values()) < 5
    assert len(store.outbox) < 5
