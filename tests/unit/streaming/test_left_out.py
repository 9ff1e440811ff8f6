"""A consumer that has lost the group's coordinator for good is told from one that waits for its turn."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException

from streaming.faust import left_out
from streaming.faust.faults import LeftOutside
from streaming.faust.left_out import LeftOut
from streaming.faust.settings import EngineSettings

STABLE, EMPTY = ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY
PREPARING, COMPLETING = ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING
GONE, DOWN = KafkaError.GROUP_ID_NOT_FOUND, KafkaError._TIMED_OUT


class House:
    """Looks on at one member, as time passes; `group`: what others are told of it, a state or the code of an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, group: ConsumerGroupState | int, *, answers: bool) -> None:
        self.now, self.group, self.answers, self.asked, self.member = 1_000.0, group, answers, 0, False
        monkeypatch.setattr(left_out, "monotonic", lambda: self.now)
        monkeypatch.setattr(left_out, "AdminClient", lambda _: self)
        self.watch = LeftOut(EngineSettings(bootstrap="nowhere:1", group="g"), "failed")

    def describe_consumer_groups(self, groups: list[str], **_: Any) -> dict[str, Future[Any]]:
        told: Future[Any] = Future()
        if isinstance(self.group, int):
            told.set_exception(KafkaException(KafkaError(self.group)))
        else:
            told.set_result(SimpleNamespace(state=self.group))
        return dict.fromkeys(groups, told)

    def committed(self, *_: Any) -> list[Any]:
        self.asked += 1
        if not self.answers:
            raise KafkaException(KafkaError(DOWN))
        return []

    def passes(self, seconds: float) -> None:
        """A look every second."""
        for _ in range(int(seconds)):
            self.now += 1
            self.watch.look(SimpleNamespace(is_member=self.member, consumer=self))  # type: ignore[arg-type]


@pytest.mark.parametrize("group", [STABLE, EMPTY, GONE])
def test_one_that_others_are_answered_before_begins_anew(
    monkeypatch: pytest.MonkeyPatch, group: ConsumerGroupState | int
) -> None:
    house = House(monkeypatch, group, answers=False)
    house.passes(30)
    assert house.asked == 0
    house.passes(15)
    assert house.asked > 3
    with pytest.raises(LeftOutside, match="lost the group's coordinator"):
        house.passes(5)
    assert house.watch.found


@pytest.mark.parametrize("group", [PREPARING, COMPLETING, ConsumerGroupState.UNKNOWN, DOWN])
def test_one_in_a_slow_rebalance_or_without_brokers_is_not_even_asked(
    monkeypatch: pytest.MonkeyPatch, group: ConsumerGroupState | int
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
