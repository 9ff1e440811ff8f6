"""Publishing for the relay: what librdkafka may do that its words do not say, and what lanes say of themselves."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.routing import outgoing
from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import KafkaPublisher, Lanes, PublisherLost
from services.routing.relay import BATCH_BYTES
from streaming.client import KafkaAddress
from streaming.faust import calls
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog
from streaming.stage import Output
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


class Full(Hanging):
    """A producer whose buffer is full, until the broker has acknowledged what is in it: at the third look."""

    def __init__(self, told: Any) -> None:
        super().__init__(told)
        self.told, self.looks, self.taken = told, 0, list[bytes]()

    def poll(self, *_: Any) -> None:
        self.looks += 1

    def list_topics(self, topic: str, **_: Any) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions=[0])})

    def produce(self, _topic: str, value: bytes, *_: Any, **__: Any) -> None:
        if self.looks < 3:
            raise BufferError
        self.taken.append(value)

    def commit_transaction(self, _: float) -> None: ...


def test_a_buffer_that_is_full_is_waited_for_and_is_bounded(
    publisher: Callable[[Watchdog], KafkaPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "Producer", Full)
    made = publisher(Watchdog())
    made.open()
    full: Any = made._producer
    full.looks = 0
    made.publish(
        [Waiting(1, 0, 0, Output("out", None, b"first")), Waiting(2, 0, 1, Output("out", None, b"second"))], {}
    )

    assert full.taken[:2] == [b"first", b"second"]
    bound = full.told["queue.buffering.max.kbytes"] * 1024
    assert bound >= BATCH_BYTES + outgoing.MESSAGE_BYTES  # a whole round, whose last record may be the largest
    assert bound < 32 * 1024 * 1024
