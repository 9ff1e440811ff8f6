from __future__ import annotations

from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from streaming.faust import transaction
from streaming.faust.app import EngineSettings
from streaming.faust.assignment import Partition
from streaming.faust.faults import EngineBroken, Unsettled
from streaming.faust.offsets import Committed
from streaming.faust.transaction import KafkaKeeper
from streaming.stage import Stage


class Aborts:
    """Of former owners: what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def abort_the_dead(self, _: Any) -> None:
        self.asked.append("the dead")

    def abort_all(self, names: Any) -> None:
        self.asked.append(f"all of {sorted(names)}")


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KafkaKeeper:
    said = {0: Committed(7, "one"), 1: Committed(7, "other")}
    monkeypatch.setattr(transaction, "said_offsets", lambda *_: said)
    monkeypatch.setattr(transaction, "unstable", lambda *_: [1])
    made = object.__new__(KafkaKeeper)
    made.stage = Stage("s", "in", "s.failed", lambda _: None)
    made.settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)
    made._look_due, made._unsettled, made._restore = 0.0, None, None
    made.asker = None  # type: ignore[assignment]
    made._former = Aborts()  # type: ignore[assignment]
    return made


def wait(keeper: KafkaKeeper, assigned_seconds_ago: float) -> None:
    keeper._look_due = 0.0
    assignment: Any = SimpleNamespace(since=monotonic() - assigned_seconds_ago, consumer=None)
    keeper._wait_for_former_owner(assignment, [Partition(0), Partition(1)], Unsettled("open"))


def test_a_worker_that_has_its_partitions_for_long_is_as_patient_as_a_new_one(keeper: KafkaKeeper) -> None:
    wait(keeper, assigned_seconds_ago=3_600)
    assert keeper._former.asked == ["the dead"]  # type: ignore[attr-defined]


def test_patience_ends_counted_from_the_first_trouble(keeper: KafkaKeeper) -> None:
    keeper._unsettled = monotonic() - keeper.settings.settle_timeout_seconds - 1
    with pytest.raises(EngineBroken):
        wait(keeper, assigned_seconds_ago=3_600)


def test_trouble_of_an_earlier_assignment_does_not_count(keeper: KafkaKeeper) -> None:
    keeper._unsettled = monotonic() - 3_600
    wait(keeper, assigned_seconds_ago=1)
    assert keeper._former.asked == ["the dead"]  # type: ignore[attr-defined]


def test_one_that_may_live_is_robbed_after_a_moment_where_its_partition_waits(keeper: KafkaKeeper) -> None:
    keeper._unsettled = monotonic() - keeper.settings.fence_after_seconds - 0.1
    wait(keeper, assigned_seconds_ago=3_600)
    assert keeper._former.asked == ["the dead", "all of ['other']"]  # type: ignore[attr-defined]


def test_where_the_changelog_waits_nobody_knows_whose_it_is(keeper: KafkaKeeper) -> None:
    keeper._restore = SimpleNamespace()  # type: ignore[assignment]  # the offsets were stable before it began
    keeper._unsettled = monotonic() - keeper.settings.fence_after_seconds - 0.1
    wait(keeper, assigned_seconds_ago=3_600)
    assert keeper._former.asked == ["the dead", "all of ['one', 'other']"]  # type: ignore[attr-defined]
