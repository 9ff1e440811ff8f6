"""A consumer that has lost the group's coordinator for good is told from one that waits for its turn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust import cluster, left_out
from streaming.faust.cluster import Group
from streaming.faust.faults import LeftOutside
from streaming.faust.left_out import LeftOut
from streaming.faust.settings import EngineSettings
from streaming.stage import TransientError

STABLE, EMPTY, GONE = "Stable", "Empty", "Dead"
PREPARING, COMPLETING, UNKNOWN, DOWN = "PreparingRebalance", "CompletingRebalance", "Unknown", None


class House:
    """Looks on at one member, as time passes; `group`: the state that others hear of, None where no broker answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, group: str | None, *, answers: bool) -> None:
        self.now, self.group, self.answers, self.asked, self.member = 1_000.0, group, answers, 0, False
        monkeypatch.setattr(left_out, "monotonic", lambda: self.now)
        monkeypatch.setattr(cluster, "group", self.describe)
        self.watch = LeftOut(EngineSettings(bootstrap="nowhere:1", group="g"), "failed")

    def describe(self, *_: Any) -> Group:
        if self.group is None:
            raise TransientError("no broker answers")
        return Group(self.group, frozenset())

    def committed(self, *_: Any) -> list[Any]:
        self.asked += 1
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return []

    def passes(self, seconds: float) -> None:
        """A look every second."""
        for _ in range(int(seconds)):
            self.now += 1
            self.watch.look(SimpleNamespace(is_member=self.member, consumer=self))  # type: ignore[arg-type]


@pytest.mark.parametrize("group", [STABLE, EMPTY, GONE])
def test_one_that_others_are_answered_before_begins_anew(monkeypatch: pytest.MonkeyPatch, group: str | None) -> None:
    house = House(monkeypatch, group, answers=False)
    house.passes(30)
    assert house.asked == 0
    house.passes(15)
    assert house.asked > 3
    with pytest.raises(LeftOutside, match="lost the group's coordinator"):
        house.passes(5)
    assert house.watch.found


@pytest.mark.parametrize("group", [PREPARING, COMPLETING, UNKNOWN, DOWN])
def test_one_in_a_slow_rebalance_or_without_brokers_is_not_even_asked(
    monkeypatch: pytest.MonkeyPatch, group: str | None
) -> None:
    house = House(monkeypatch, group, answers=False)
    house.passes(300)
    assert house.asked == 0  # a question behind a request to join that is held back would end the connection


def test_one_that_is_answered_in_time_goes_on_and_is_not_asked_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, STABLE, answers=False)
    house.passes(40)
    house.answers = True
    house.passes(2)
    asked = house.asked
    house.passes(25)
    assert house.asked == asked
    house.answers = False
    house.passes(15)
    assert not house.watch.found  # its silence begins anew


def test_the_time_outside_begins_when_it_is_first_seen_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch, STABLE, answers=False)
    house.member = True
    house.passes(1)
    house.now += 1_000  # in a round, or frozen
    house.member = False
    house.passes(30)
    assert house.asked == 0
