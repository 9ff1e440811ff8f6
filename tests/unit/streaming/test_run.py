from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.run import TRACE_LIMIT, Result, merge, run
from streaming.stage import Batch, Fenced, Output, RecordError, Stage, TransientError


@dataclass(frozen=True)
class Record:
    at: int
    data: bytes | None
    by: bytes | None = b"k"
    head: tuple[tuple[str, bytes | None], ...] | None = None
    number: int = 3

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.by

    def value(self) -> bytes | None:
        return self.data

    def headers(self) -> Any:
        return self.head

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000


def count_keys(batch: Batch[int]) -> None:
    """Each record raises the number of its key; `bad` raises, `no` is refused, `twice` is a duplicate."""
    for message in batch.records:
        key, value = message.key() or b"", message.value()
        seen = (batch.state.get(key) or 0) + 1
        batch.state.put(key, seen)
        batch.emit("out", key, b"%d" % seen)
        if value == b"bad":
            raise ZeroDivisionError("a fault of the handler")
        if value == b"refused":
            raise RecordError("schema_violation", "subject.email: missing; add it")
        if value == b"no":
            batch.fail(message, "no_identifier", "subject: empty; give one")
        if value == b"twice":
            batch.count("duplicate")


COUNT = Stage("count", "in", "count.failed", count_keys, changelog="count.state")
NOON = 1_763_899_200.25  # 2025-11-23T12:00:00.25Z


def records(*values: bytes | None, by: bytes | None = b"k") -> list[Record]:
    return [Record(at, value, by) for at, value in enumerate(values, 40)]


def ran(
    *values: bytes | None, stage: Stage = COUNT, state: dict[bytes, int] | None = None, **kwargs: Any
) -> Result[Any]:
    return run(stage, records(*values), {} if state is None else state, now=NOON, **kwargs)


def published(result: Result[Any], topic: str = "out") -> list[bytes | None]:
    return [output.value for output in result.outputs if output.topic == topic]


def test_records_that_are_processed_change_state_only_by_the_result() -> None:
    state = {b"k": 4}

    result = ran(b"a", b"b", state=state)

    assert state == {b"k": 4}
    assert result.writes == {b"k": 6}
    assert published(result) == [b"5", b"6"]
    assert result.outcomes == {"processed": 2}


def test_a_record_at_fault_is_found_and_its_neighbours_are_as_if_it_had_not_come() -> None:
    result = ran(b"a", b"bad", b"b", b"c", b"d")

    assert result.writes == {b"k": 4}
    assert published(result) == [b"1", b"2", b"3", b"4"]
    assert [failure.message.offset() for failure in result.failures] == [41]
    assert result.outcomes == {"failed": 1, "processed": 4}


def test_a_failed_record_keeps_its_bytes_and_says_why_and_whence() -> None:
    message = Record(41, b"\xff\x00bad", None, (("trace", b"1"), ("none", None)))

    def refuse(batch: Batch[Any]) -> None:
        raise RecordError("schema_violation", "subject.email: missing; add it")

    (output,) = run(replace(COUNT, handler=refuse), [message], {}, now=NOON).outputs

    assert (output.topic, output.key, output.value, output.partition) == ("count.failed", None, b"\xff\x00bad", None)
    assert list(output.headers) == [
        ("trace", b"1"),
        ("none", None),
        ("baton_reason", b"schema_violation"),
        ("baton_detail", b"subject.email: missing; add it"),
        ("baton_topic", b"in"),
        ("baton_partition", b"3"),
        ("baton_offset", b"41"),
        ("baton_failed_at", b"2025-11-23T12:00:00.250000Z"),
        ("baton_trace", b""),
    ]


def test_an_unexpected_error_is_named_with_its_traceback() -> None:
    (failure,) = ran(b"bad").failures

    assert (failure.reason, failure.detail) == ("handler_error", "ZeroDivisionError: a fault of the handler")
    assert "in count_keys" in failure.trace


def test_a_long_trace_is_cut_so_that_the_record_still_fits() -> None:
    def refuse(batch: Batch[Any]) -> None:
        raise ValueError("x" * 1_000_000)

    (output,) = ran(b"a", stage=replace(COUNT, handler=refuse)).outputs

    assert len(dict(output.headers)["baton_trace"] or b"") < TRACE_LIMIT + 10


def test_a_record_that_fails_again_has_the_last_reason_alone() -> None:
    message = Record(1, b"refused", b"k", (("baton_reason", b"old"), ("baton_trace", b"old"), ("ce_id", b"7")))

    (output,) = (o for o in run(COUNT, [message], {}, now=NOON).outputs if o.topic == "count.failed")

    assert [value for name, value in output.headers if name == "baton_reason"] == [b"schema_violation"]
    assert ("ce_id", b"7") in output.headers


def test_a_handler_that_goes_on_after_a_bad_record_is_not_called_again() -> None:
    calls: list[int] = []

    def handler(batch: Batch[int]) -> None:
        calls.append(len(batch.records))
        count_keys(batch)

    result = ran(b"a", b"no", b"twice", stage=replace(COUNT, handler=handler))

    assert calls == [3]
    assert result.outcomes == {"failed": 1, "duplicate": 1, "processed": 1}


def test_a_record_that_is_refused_twice_fails_once_with_the_first_reason() -> None:
    def handler(batch: Batch[int]) -> None:
        batch.fail(batch.records[0], "first", "")
        batch.fail(batch.records[0], "second", "")

    result = ran(b"a", b"b", stage=replace(COUNT, handler=handler))

    assert [failure.reason for failure in result.failures] == ["first"]
    assert result.outcomes == {"failed": 1, "processed": 1}


def test_a_handler_that_counts_more_outcomes_than_records_is_a_fault_of_the_handler() -> None:
    def handler(batch: Batch[int]) -> None:
        batch.count("duplicate", 2)

    result = ran(b"a", stage=replace(COUNT, handler=handler))

    assert result.outcomes == {"failed": 1}
    assert "2 outcomes for 1 records" in result.failures[0].detail


def test_every_output_carries_the_time_of_the_round_where_the_stage_asks_for_it() -> None:
    result = ran(b"a", b"refused", stage=replace(COUNT, stamp="baton_scored_at"))

    stamps = [dict(output.headers).get("baton_scored_at") for output in result.outputs]

    assert stamps == [b"2025-11-23T12:00:00.250000Z", None]


@pytest.mark.parametrize("error", [TransientError("the database is away"), Fenced("another worker"), MemoryError()])
def test_a_fault_that_blames_no_record_gives_the_round_up(error: Exception) -> None:
    def handler(batch: Batch[int]) -> None:
        raise error

    with pytest.raises(type(error)):
        ran(b"a", b"b", stage=replace(COUNT, handler=handler))


class FakeUnit:
    """Keeps what was written inside savepoints that were not rolled back."""

    def __init__(self) -> None:
        self.written: list[bytes | None] = []

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        before = len(self.written)
        try:
            yield
        except BaseException:
            del self.written[before:]
            raise

    def publish(self, outputs: list[Output]) -> None:
        raise AssertionError("the runner publishes, not the handler's caller")


def test_what_a_failed_call_wrote_to_the_store_is_rolled_back() -> None:
    unit = FakeUnit()

    def handler(batch: Batch[int]) -> None:
        for message in batch.records:
            batch.unit.written.append(message.value())
            if message.value() == b"bad":
                raise ValueError("bad")

    ran(b"a", b"bad", b"b", b"c", stage=replace(COUNT, handler=handler), unit=unit)

    assert unit.written == [b"a", b"b", b"c"]


def test_what_goes_through_a_stores_outbox_says_its_lane() -> None:
    def handler(batch: Batch[int]) -> None:
        for message in batch.records:
            batch.emit("out", b"k", message.value(), lane=None if message.value() == b"bad" else message.partition())

    result = ran(b"a", b"bad", stage=replace(COUNT, handler=handler), unit=FakeUnit())

    assert published(result) == [b"a"]
    assert ["bad"] == [(failure.message.value() or b"").decode() for failure in result.failures]
    assert "lane" in result.failures[0].detail
    assert all(output.lane == 3 for output in result.outputs)


def test_records_of_two_partitions_may_have_the_same_offset_and_both_fail() -> None:
    def handler(batch: Batch[int]) -> None:
        for message in batch.records:
            batch.fail(message, "bad", "it says so")
            batch.fail(message, "worse", "only the first counts")

    batch = [Record(7, b"a", b"k"), Record(7, b"b", b"k", number=4)]
    result = run(replace(COUNT, handler=handler), batch, {}, now=NOON, unit=FakeUnit())

    assert [("bad", b"a"), ("bad", b"b")] == [(one.reason, one.message.value()) for one in result.failures]
    assert [3, 4] == [output.lane for output in result.outputs]


def test_a_key_that_is_forgotten_leaves_the_state() -> None:
    def handler(batch: Batch[int]) -> None:
        batch.state.delete(b"k")

    state = {b"k": 1, b"l": 2}
    merge(state, ran(b"a", stage=replace(COUNT, handler=handler), state=state).writes)

    assert state == {b"l": 2}


VALUES = st.lists(st.sampled_from([b"good", b"bad", b"refused", b"no", b"twice", None]), min_size=1, max_size=60)


@given(VALUES, st.lists(st.sampled_from([b"x", b"y", b"z"]), min_size=60, max_size=60))
def test_whatever_fails_the_rest_is_processed_in_order_and_outcomes_sum_to_the_records(
    values: list[bytes | None], keys: list[bytes]
) -> None:
    batch = [Record(at, value, key) for at, (value, key) in enumerate(zip(values, keys, strict=False))]
    raising = [r for r in batch if r.data in (b"bad", b"refused")]
    calm = [r for r in batch if r not in raising]

    result = run(COUNT, batch, {}, now=NOON)
    expected = run(COUNT, calm, {}, now=NOON) if calm else None

    assert len(batch) == sum(result.outcomes.values())
    assert (expected.writes if expected else {}) == result.writes
    assert (published(expected) if expected else []) == published(result)
    assert [r.at for r in batch if r.data in (b"bad", b"refused", b"no")] == [
        f.message.offset() for f in result.failures
    ]
