"""Publishing for the relay: what librdkafka may do that its words do not say."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.routing import outgoing
from services.routing.outgoing import KafkaPublisher, PublisherLost
from streaming.client import KafkaAddress
from streaming.faust import calls
from streaming.faust.watchdog import Watchdog
from tests.waiting import until


class Hanging:
    """A producer whose offsets never go through."""

    def __init__(self, _: Any) -> None:
        self.go_on = threading.Event()

    def init_transactions(self, _: float) -> None: ...
    def begin_transaction(self) -> None: ...
    def commit_transaction(self, _: float) -> None: ...

    def send_offsets_to_transaction(self, *_: Any) -> None:
        assert self.go_on.wait(30)


class Group:
    """A consumer that knows no group."""

    def __init__(self, _: Any) -> None: ...
    def consumer_group_metadata(self) -> None: ...


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Callable[[Watchdog], KafkaPublisher]:
    monkeypatch.setattr(outgoing, "Producer", Hanging)
    monkeypatch.setattr(outgoing, "Consumer", Group)
    monkeypatch.setattr(calls, "HUNG_SECONDS", 0.1 - outgoing.CALL_SECONDS)
    return lambda watchdog: KafkaPublisher(KafkaAddress.parse("nowhere"), "relay", "lanes", "ledger", watchdog)


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

    def send_offsets_to_transaction(self, *_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "", False, True))

    def abort_transaction(self, _: float) -> None:
        raise AssertionError("what nobody answers is not asked for")


def test_a_coordinator_that_stays_silent_is_left_to_a_new_publisher(
    publisher: Callable[[Watchdog], KafkaPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "Producer", Silent)
    monkeypatch.setattr(outgoing, "OFFSETS_PATIENCE_SECONDS", 0.05)
    made = publisher(Watchdog())
    made.open()

    with pytest.raises(PublisherLost):
        made.publish([], {})
