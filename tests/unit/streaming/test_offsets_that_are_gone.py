"""A broker that says that nothing is committed of a partition which was worked on is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.faust import transaction
from streaming.faust.assignment import Partition
from streaming.faust.faults import Unsettled
from streaming.faust.transaction import KafkaKeeper
from streaming.stage import Codec, Stage

BYTES: Codec[bytes] = Codec(dumps=bytes, loads=bytes)


def keeper(monkeypatch: pytest.MonkeyPatch, changelog: dict[int, tuple[int, int]] | None) -> KafkaKeeper:
    monkeypatch.setattr(transaction, "ends", lambda _, __, numbers: {n: (changelog or {})[n] for n in numbers})
    made = object.__new__(KafkaKeeper)
    name = None if changelog is None else "s.state"
    made.stage = Stage("s", "in", "s.failed", lambda _: None, changelog=name, codec=BYTES)
    made.admin = None  # type: ignore[assignment]
    return made


def partition(number: int, **known: Any) -> Partition:
    made = Partition(number)
    for name, value in known.items():
        setattr(made, name, value)
    return made


def demand(by: KafkaKeeper, *without: Partition) -> None:
    by._demand_offsets(without, by._unmarked(without))


def test_partitions_that_nobody_worked_on_begin_at_their_first_record(monkeypatch: pytest.MonkeyPatch) -> None:
    demand(keeper(monkeypatch, {0: (0, 0), 1: (0, 0)}), partition(0), partition(1))
    demand(keeper(monkeypatch, None), partition(0))
    demand(keeper(monkeypatch, None))


def test_a_partition_with_state_has_an_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsettled, match=r"of partitions \[1\], which were worked on already"):
        demand(keeper(monkeypatch, {0: (0, 0), 1: (0, 7)}), partition(0), partition(1))


def test_a_partition_that_this_process_worked_on_has_an_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsettled, match=r"of partitions \[0\]"):
        demand(keeper(monkeypatch, None), partition(0, next=12), partition(1))
