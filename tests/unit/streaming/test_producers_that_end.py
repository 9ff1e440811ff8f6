from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from streaming.faust import settings as engine_settings
from streaming.faust.app import EngineSettings
from streaming.faust.owners import FormerOwners
from streaming.faust.producer import TransactionalProducer
from streaming.faust.watchdog import Watchdog
from tests.waiting import until


class Watched(Producer):
    alive: ClassVar[weakref.WeakSet[Watched]] = weakref.WeakSet()

    def __init__(self, *told: Any, **named: Any) -> None:
        super().__init__(*told, **named)
        self.alive.add(self)


@pytest.fixture
def without_collector() -> Iterator[None]:
    """As in a stage, where the collector of garbage seldom looks at what is old."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_a_producer_that_takes_over_in_vain_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else a worker has one more client with each look at a former owner, as long as a broker is away."""

    def times_out(*_: Any, **__: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(engine_settings, "Producer", Watched)
    monkeypatch.setattr(TransactionalProducer, "insist", times_out)
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)
    former = FormerOwners(settings, Watchdog())
    for _ in range(3):
        with pytest.raises(KafkaException):
            former.abort("another")
    until(lambda: not Watched.alive, 20, "the producers to be gone")
