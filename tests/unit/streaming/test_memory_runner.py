from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.breaker import Breaker
from streaming.memory import Crashed, MemoryRunner
from streaming.stage import Batch, Codec, Fenced, Move, Stage

NUMBERS: Codec[int] = Codec(dumps=lambda n: str(n).encode(), loads=int)


def count(batch: Batch[int]) -> None:
    """Counts the records of a key; a value `bad` is refused."""
    for record in batch.records:
        key = record.key()
        assert key is not None
        if record.value() == b"bad":
            batch.fail(record, "bad", "it says so")
            continue
        total = (batch.state.get(key) or 0) + 1
        batch.state.put(key, total)
        batch.emit("counts", key, str(total).encode())


COUNTING = Stage("counting", "in", "counting.failed", count, changelog="counting.state", codec=NUMBERS)


def values(runner: MemoryRunner, topic: str) -> list[bytes | None]:
    return [record.value() for record in runner.records(topic)]


def test_stages_feed_one_another_until_none_has_input() -> None:
    def shout(batch: Batch[Any]) -> None:
        for record in batch.records:
            batch.emit("loud", record.key(), (record.value() or b"") + b"!")

    runner = MemoryRunner([Stage("shouting", "counts", "shouting.failed", shout), COUNTING])
    runner.send("in", b"a", b"x")
    runner.send("in", b"a", b"y")

    assert runner.run() == 4
    assert values(runner, "loud") == [b"1!", b"2!"]


def test_the_time_is_what_it_was_told() -> None:
    runner = MemoryRunner([COUNTING], now=5.0)
    sent = runner.send("in", b"a", b"x")
    runner.run(now=7.5)

    assert sent.timestamp() == (1, 5000)
    assert [record.timestamp() for record in runner.records("counts")] == [(1, 7500)]


@pytest.mark.parametrize(("when", "counts"), [("before_commit", []), ("after_commit", [b"1", b"2"])])
def test_a_crash_leaves_a_round_done_or_undone_and_nothing_between(when: Any, counts: list[bytes]) -> None:
    runner = MemoryRunner([COUNTING])
    runner.send("in", b"a", b"x")
    runner.send("in", b"a", b"y")
    runner.crash_at = when
    with pytest.raises(Crashed):
        runner.run()

    assert values(runner, "counts") == counts

    runner.restart()
    runner.run()

    assert values(runner, "counts") == [b"1", b"2"]
    assert runner.state("counting") == {b"a": 2}


def test_another_runner_goes_on_where_the_first_was_committed() -> None:
    first = MemoryRunner([COUNTING])
    first.send("in", b"a", b"x")
    first.run()
    second = MemoryRunner([COUNTING], log=first.log)
    second.send("in", b"a", b"y")
    second.run()

    assert values(second, "counts") == [b"1", b"2"]
    assert values(second, "counting.state") == [b"1", b"2"]


def test_a_stopped_stage_tries_again_when_the_time_has_come() -> None:
    runner = MemoryRunner([COUNTING], breaker=lambda: Breaker(consecutive=2, resume_seconds=60))
    for value in (b"bad", b"bad"):
        runner.send("in", b"a", value)

    assert runner.run(now=0.0) == 0
    assert runner.breakers["counting"].reason == "2 records in a row failed"
    assert runner.run(now=59.0) == 0
    assert values(runner, "counting.failed") == []

    runner.breakers["counting"].close()
    runner.breakers["counting"].consecutive = 3

    assert runner.run(now=59.0) == 2
    assert values(runner, "counting.failed") == [b"bad", b"bad"]


def test_a_partition_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(ValueError, match="4 partitions"):
        MemoryRunner([COUNTING]).send("in", b"a", b"x", partition=4)


@given(st.lists(st.tuples(st.sampled_from([b"ana", b"bo", b"cy"]), st.sampled_from([b"x", b"bad"]))), st.integers(1, 9))
def test_how_records_fall_into_rounds_changes_nothing(sent: list[tuple[bytes, bytes]], size: int) -> None:
    runner = MemoryRunner([COUNTING], max_records=size)
    for key, value in sent:
        runner.send("in", key, value)
    runner.run()
    good = Counter(key for key, value in sent if value == b"x")

    assert runner.state("counting") == good
    for key, times in good.items():
        counts = [record.value() for record in runner.records("counts") if record.key() == key]

        assert counts == [str(n).encode() for n in range(1, times + 1)]


class OvertakenStore:
    """A store that another worker is ahead in: it has worked on the first two records meanwhile."""

    def __init__(self, ahead: int) -> None:
        self.at, self.ahead = 0, ahead

    def origin(self, topic: str, found: str) -> str:
        raise AssertionError(topic, found)

    def position(self, topic: str, partition: int) -> int:
        return self.at if partition == 0 else 0

    @contextmanager
    def round(self, topic: str, moves: Sequence[Move]) -> Iterator[OvertakenStore]:
        ((_, start, end),) = moves
        if self.ahead:
            self.at, self.ahead = self.ahead, 0
            raise Fenced
        if not self.at <= start:
            raise Fenced
        yield self
        self.at = end

    def savepoint(self) -> nullcontext[None]:
        return nullcontext()

    def publish(self, outputs: Any) -> None:
        pass


def storing(store: OvertakenStore, seen: list[int]) -> Stage:
    def handler(batch: Batch[Any]) -> None:
        seen.extend(record.offset() for record in batch.records)

    return Stage("storing", "in", "storing.failed", handler, store=store)


def test_a_runner_that_was_overtaken_leaves_the_other_ones_work_alone() -> None:
    seen: list[int] = []
    runner = MemoryRunner([storing(OvertakenStore(ahead=2), seen)])
    for _ in range(3):
        runner.send("in", b"a", b"x", partition=0)

    assert runner.run() == 1
    assert seen == [2]


def test_a_store_that_fences_for_no_reason_is_not_asked_for_ever() -> None:
    store = OvertakenStore(ahead=0)
    store.position = lambda topic, partition: 0  # type: ignore[method-assign]
    store.at = 1
    runner = MemoryRunner([storing(store, [])])
    runner.send("in", b"a", b"x", partition=0)

    with pytest.raises(Fenced):
        runner.run()


crashes = st.lists(st.sampled_from([None, None, "before_commit", "after_commit"]), max_size=12)


@given(st.lists(st.tuples(st.sampled_from([b"ana", b"bo"]), st.sampled_from([b"x", b"bad"]))), crashes)
def test_whatever_crashes_nothing_is_lost_and_nothing_is_doubled(sent: list[tuple[bytes, bytes]], when: Any) -> None:
    runner = MemoryRunner([COUNTING], max_records=2)
    for key, value in sent:
        runner.send("in", key, value)
    for crash in when:
        runner.crash_at = crash
        try:
            runner.run()
        except Crashed:
            runner.restart()
    runner.crash_at = None
    runner.run()
    good = Counter(key for key, value in sent if value == b"x")
    failed = [value for _, value in sent if value == b"bad"]

    assert runner.state("counting") == good
    assert len(values(runner, "counts")) == sum(good.values())
    assert values(runner, "counting.failed") == failed
