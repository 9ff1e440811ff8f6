"""Publishing for the relay: what librdkafka may do that its words do not say, and what lanes say of themselves."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.routing import outgoing
from services.routing.outgoing import KafkaPublisher, Lanes, PublisherLost
from streaming.client import KafkaAddress
from streaming.faust import calls
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog
from tests.waiting import until


class Hanging:
    """A producer whose transactions never go through."""

    def __init__(self, _: Any) -> None:
        self.go_on = threading.Event()

    def poll(self, *_: Any) -> None: ...
    def init_transactions(self, _: float) -> None: ...
    def begin_transaction(self) -> None: ...
    def produce(self, *_: Any, **__: Any) -> None: ...

    def commit_transaction(self, _: float) -> None:
        assert self.go_on.wait(30)


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Callable[[Watchdog], KafkaPublisher]:
    monkeypatch.setattr(outgoing, "Producer", Hanging)
    monkeypatch.setattr(EngineSettings, "offset_reader", lambda *_: None)
    monkeypatch.setattr(outgoing, "demand_topics", lambda *_: {})
    monkeypatch.setattr(outgoing, "ends", lambda *_: {0: (0, 0)})
    monkeypatch.setattr(calls, "HUNG_SECONDS", 0.1 - outgoing.CALL_SECONDS)
    return lambda watchdog: KafkaPublisher(KafkaAddress.parse("nowhere"), "relay", "", "ledger", watchdog)


def test_a_call_that_hangs_past_its_time_ends_the_process(publisher: Callable[[Watchdog], KafkaPublisher]) -> None:
    ended = threading.Event()
    made = publisher(Watchdog(end=ended.set, tick_seconds=0.02))
    made.open()
    assert not ended.is_set()
    working = threading.Thread(target=made.publish, args=([], {}))
    working.start()
    try:
        until(ended.is_set, 10, "the watchdog to end the process")
    finally:
        made._producer.go_on.set()  # type: ignore[attr-defined]
        working.join()


class Silent(Hanging):
    """A producer whose coordinator never answers."""

    def commit_transaction(self, _: float) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "", False, True))

    def abort_transaction(self, _: float) -> None:
        raise AssertionError("what nobody answers is not asked for")


def test_a_coordinator_that_stays_silent_is_left_to_a_new_publisher(
    publisher: Callable[[Watchdog], KafkaPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "Producer", Silent)
    monkeypatch.setattr(outgoing, "SETTLE_SECONDS", 0.05)
    made = publisher(Watchdog())
    made.open()

    with pytest.raises(PublisherLost):
        made.publish([], {})


def test_lanes_read_as_they_were_written() -> None:
    lanes = Lanes("a ledger", {0: 3, 11: 4_000_000_000})
    assert Lanes.of(lanes.to_bytes()) == lanes


@pytest.mark.parametrize(
    "said", [b"{}", b"[]", b"nothing", b'{"ledger": "a", "next": {"x": 1}}', b'{"ledger": "a", "next": [1]}']
)
def test_lanes_that_cannot_be_read_are_told_and_not_passed_over(
    publisher: Callable[[Watchdog], KafkaPublisher], monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(outgoing, "last_values", lambda *_: {0: said})
    with pytest.raises(PublisherLost, match=r"routing\.state on the lanes cannot be read"):
        publisher(Watchdog()).open()


@pytest.mark.parametrize(("ledger", "known"), [("ledger", {1: 7}), ("another", {})])
def test_lanes_count_for_the_ledger_that_they_name(
    publisher: Callable[[Watchdog], KafkaPublisher], monkeypatch: pytest.MonkeyPatch, ledger: str, known: dict[int, int]
) -> None:
    monkeypatch.setattr(outgoing, "last_values", lambda *_: {0: Lanes(ledger, {1: 7}).to_bytes()})
    made = publisher(Watchdog())
    monkeypatch.setattr(made, "_of_the_group", lambda _: {})
    made.open()
    assert made.positions({1, 2}) == known
