"""What a broker says of a partition that was worked on is not believed where the changelog knows better."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.faust.assignment import Partition
from streaming.faust.faults import Unsettled
from streaming.faust.marks import Mark
from streaming.faust.offsets import Committed
from streaming.faust.start import Start, demand
from streaming.stage import Codec, Stage

BYTES: Codec[bytes] = Codec(dumps=bytes, loads=bytes)
KEEPS = Stage("s", "in", "s.failed", lambda _: None, changelog="s.state", codec=BYTES)
NO_CHANGELOG = Stage("s", "in", "s.failed", lambda _: None)


def start(*committed: int, unmarked: set[int] | None = None, marked: dict[int, int] | None = None) -> Start:
    offsets = {number: Committed(offset, "") for number, offset in enumerate(committed)}
    return Start(offsets, unmarked or set(), {number: Mark("id", at) for number, at in (marked or {}).items()})


def partitions(count: int, **known: Any) -> list[Partition]:
    made = [Partition(number) for number in range(count)]
    for name, value in known.items():
        setattr(made[0], name, value)
    return made


def test_partitions_that_nobody_worked_on_begin_at_their_first_record() -> None:
    demand(KEEPS, start(-1, -1, unmarked={0, 1}), partitions(2))
    demand(NO_CHANGELOG, start(-1), partitions(1))
    demand(NO_CHANGELOG, start(), [])
    assert start(-1, unmarked={0}).offset(0) == -1


def test_a_partition_with_state_has_an_offset() -> None:
    with pytest.raises(Unsettled, match=r"of partitions \[1\], which were worked on already"):
        demand(KEEPS, start(-1, -1, unmarked={0}), partitions(2))


def test_a_partition_that_this_process_worked_on_has_an_offset() -> None:
    with pytest.raises(Unsettled, match=r"of partitions \[0\]"):
        demand(NO_CHANGELOG, start(-1, -1), partitions(2, next=12))


@pytest.mark.parametrize("committed", [-1, 0, 11])
def test_an_offset_that_the_changelog_is_past_is_not_believed(committed: int, caplog: pytest.LogCaptureFixture) -> None:
    said = start(committed, marked={0: 12})
    demand(KEEPS, said, partitions(1, next=12))
    assert said.offset(0) == 12
    assert f"the group says {committed}, the changelog 12" in caplog.text


def test_an_offset_past_the_changelog_is_where_it_goes_on() -> None:
    said = start(13, marked={0: 12})
    demand(KEEPS, said, partitions(1))
    assert said.offset(0) == 13


def test_all_who_had_a_partition_are_known() -> None:
    committed = {0: Committed(3, "one"), 1: Committed(-1, ""), 2: Committed(4, "three")}
    marked = {0: Mark("id", 2, "two"), 1: Mark("id", 1), 2: Mark("id", 4, "four")}
    said = Start(committed, set(), marked, frozenset({0, 1}))
    assert said.owners() == {"one", "three"}
    assert said.owners_of_open() == {"one", "two"}


@pytest.mark.parametrize("owner", ["", "scoring-w1", "a name"])
@pytest.mark.parametrize("origin", ["abc-_9", ""])
def test_a_mark_reads_as_it_was_written(origin: str, owner: str) -> None:
    assert Mark.of(Mark(origin, 12, owner).to_bytes()) == Mark(origin, 12, owner)


def test_a_mark_of_before_marks_had_owners_says_where_it_goes_on() -> None:
    assert Mark.of(b"abc 12") == Mark("abc", 12)


@pytest.mark.parametrize("value", [None, b"", b"abc", b"abc -1", b"abc 1x", "abc ¹".encode(), b"\xff"])
def test_what_is_no_mark_says_nothing(value: bytes | None) -> None:
    assert Mark.of(value) is None
