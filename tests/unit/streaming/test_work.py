from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from streaming.faust.external import share
from streaming.faust.keeper import Work
from streaming.run import Result
from streaming.stage import Failure


def record(partition: int, offset: int) -> Any:
    return SimpleNamespace(partition=lambda: partition, offset=lambda: offset)


def work(partition: int, *offsets: int) -> Work:
    part: Any = SimpleNamespace(number=partition)
    return Work(part, [record(partition, offset) for offset in offsets])


def test_a_failure_of_one_partition_is_none_of_a_record_at_the_same_offset_of_another() -> None:
    parts = [work(0, 7, 8), work(3, 7, 8)]
    share(Result([], {}, [Failure(parts[1].records[0], "bad", "it says so")], {"failed": 1, "processed": 3}), parts)

    assert [[False, False], [True, False]] == [one.flags() for one in parts]


def test_what_cannot_be_told_apart_by_partition_is_counted_once() -> None:
    parts = [work(0, 7), work(3, 7)]
    share(Result([], {}, [], {"processed": 2}), parts)

    assert [{"processed": 2}, {}] == [one.result.outcomes for one in parts if one.result is not None]
