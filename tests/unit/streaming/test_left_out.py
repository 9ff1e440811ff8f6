"""A consumer that has lost the group's coordinator for good is told from one that waits for its turn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust import left_out
from streaming.faust.faults import SessionLost
from streaming.faust.left_out import LeftOut
from streaming.faust.settings import EngineSettings


class Asked:
    """A client; `answers` says of each question whether it is answered, the last one of all that follow."""

    def __init__(self, *answers: bool) -> None:
        self.answers, self.asked, self.closed = list(answers), 0, False

    def committed(self, *_: Any) -> list[Any]:
        self.asked += 1
        if not (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return []

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(left_out, "monotonic", made)
    return made


def watch(monkeypatch: pytest.MonkeyPatch, other: Asked) -> LeftOut:
    monkeypatch.setattr(EngineSettings, "offset_reader", lambda *_: other)
    return LeftOut(EngineSettings(bootstrap="nowhere:1", group="g"), "failed")


def outside(ours: Asked, *, member: bool = False) -> Any:
    return SimpleNamespace(is_member=member, consumer=ours)


def test_one_that_others_are_answered_before_begins_anew(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = Asked(False), Asked(True)
    looking = watch(monkeypatch, other)
    clock.now += 29.9
    looking.look(outside(ours))
    assert ours.asked == 0
    clock.now += 0.1
    with pytest.raises(SessionLost, match="lost the group's coordinator"):
        looking.look(outside(ours))
    assert (ours.asked, other.closed) == (2, True)


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        pytest.param(Asked(True), Asked(True), id="waits for its turn in a slow rebalance"),
        pytest.param(Asked(False), Asked(False), id="no broker answers"),
        pytest.param(Asked(False, True), Asked(True), id="the brokers came back this moment"),
    ],
)
def test_one_that_only_has_to_wait_waits(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, ours: Asked, other: Asked
) -> None:
    looking = watch(monkeypatch, other)
    clock.now += 31
    looking.look(outside(ours))
    asked = ours.asked
    assert asked
    clock.now += 29
    looking.look(outside(ours))
    assert ours.asked == asked  # not at each step


def test_a_member_is_not_asked_and_its_time_begins_when_it_is_put_out(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Asked(False)
    looking = watch(monkeypatch, Asked(True))
    clock.now += 1_000
    looking.look(outside(ours, member=True))
    clock.now += 29
    looking.look(outside(ours))
    assert ours.asked == 0
