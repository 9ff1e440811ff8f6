from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streaming.faust import cluster, owners
from streaming.faust.cluster import Group
from streaming.faust.engine import Engine
from streaming.faust.owners import AGAIN_SECONDS, FormerOwners
from streaming.faust.settings import EngineSettings
from streaming.faust.transaction import KafkaKeeper
from streaming.faust.watchdog import Watchdog
from streaming.probes import Readiness
from streaming.stage import Stage

STARTED = 1_000.0


class FakeProducer:
    opened: list[str]

    def __init__(self, _: Any, name: str, __: Any) -> None:
        self.name = name

    def open(self) -> None:
        self.opened.append(self.name)

    def close(self) -> None: ...


class Clock:
    now = STARTED

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    FakeProducer.opened = []
    monkeypatch.setattr(owners, "TransactionalProducer", FakeProducer)
    monkeypatch.setattr(owners, "monotonic", made)
    return made


def former() -> FormerOwners:
    settings = EngineSettings(bootstrap="nowhere:1", group="g", instance="me")
    return FormerOwners(settings, Watchdog())


def test_one_that_may_live_is_not_robbed_of_its_producer_at_each_assignment(clock: Clock) -> None:
    others = former()
    others.abort_all({"g-other", "g-me", ""})
    others.forget()
    clock.now += 5
    others.abort_all({"g-other"})
    assert FakeProducer.opened == ["g-other"]

    clock.now = STARTED + AGAIN_SECONDS
    others.abort_all({"g-other"})
    assert FakeProducer.opened == ["g-other"] * 2


def test_a_new_session_remembers_whom_the_last_one_robbed(tmp_path: Path) -> None:
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)
    engine = Engine(Stage("s", "in", "s.failed", lambda _: None), settings, Readiness())
    first, second = engine._keeper(), engine._keeper()
    assert isinstance(first, KafkaKeeper)
    assert isinstance(second, KafkaKeeper)
    assert first._former is second._former


def test_one_that_is_dead_is_aborted_at_each_assignment(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    others = former()
    monkeypatch.setattr(cluster, "group", lambda _: Group("Stable", frozenset({"g-me"})))
    for _ in range(2):
        others.abort_the_dead({"g-other"})
        others.abort_the_dead({"g-other"})
        others.forget()

    assert FakeProducer.opened == ["g-other"] * 2
