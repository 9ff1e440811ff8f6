"""A producer whose client said something may have sent the end of a transaction twice: another one goes on."""

from __future__ import annotations

import logging
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust.app import EngineSettings
from streaming.faust.doubt import SILENT_SECONDS, Doubt
from streaming.faust.faults import SessionLost
from streaming.faust.producer import TransactionalProducer
from streaming.faust.transaction import KafkaKeeper
from streaming.faust.watchdog import Watchdog

LOST, CHATTER = "Disconnected: connection closed by peer", "Sent MetadataRequest"
BROKEN = "Receive failed: Connection reset by peer (after 12ms in state UP)"
NEVER_UP = "Connect to ipv6#[::1]:9092 failed: refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)"
LOADING = "Failed to acquire idempotence PID: Coordinator load in progress: retrying"


class Fake:
    """Says what its client has to say when it is asked, as librdkafka does; `at_init` before it has begun."""

    def __init__(self, *, at_init: str = "", away: bool = False) -> None:
        self.logger: Any = None
        self.says, self.away = at_init, away
        self.transactions = 0

    def init_transactions(self, *_: Any) -> None:
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def poll(self, *_: Any) -> None:
        if self.says:
            level = logging.DEBUG if self.says == CHATTER else logging.INFO
            self.logger.log(level, "%s [%s] %s", "GETPID" if self.says == LOADING else "FAIL", "one", self.says)
            self.says = ""

    def begin_transaction(self) -> None:
        self.transactions += 1

    def abort_transaction(self, *_: Any) -> None: ...
    def purge(self, **_: Any) -> None: ...


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
    """Producers that are yet to be made."""
    left: list[Fake] = []

    def make(_settings: Any, _name: str, _on_delivery: Any, logger: Any) -> Fake:
        one = left.pop(0)
        one.logger = logger
        return one

    monkeypatch.setattr(EngineSettings, "transactional_producer", make)
    return left


def opened(folder: Path) -> TransactionalProducer:
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=folder, settle_timeout_seconds=0.0)
    producer = TransactionalProducer(settings, "g-one", Watchdog())
    producer.open()
    return producer


def rounds(producer: TransactionalProducer) -> None:
    for _ in range(2):
        with producer.transaction():
            producer.end(lambda _: None)


@pytest.mark.parametrize("said", ["", NEVER_UP, CHATTER, LOADING])
def test_one_that_hears_nothing_of_a_lost_connection_goes_on(made: list[Fake], tmp_path: Path, said: str) -> None:
    only = Fake(at_init=said)  # it has ended no transaction by then
    made.append(only)
    rounds(opened(tmp_path))
    assert only.transactions == 2


@pytest.mark.parametrize("said", [LOST, BROKEN])
def test_what_would_not_be_said_again_counts_once_a_transaction_has_ended(
    made: list[Fake], tmp_path: Path, said: str
) -> None:
    first, second = Fake(at_init=said), Fake()
    made += [first, second]
    rounds(opened(tmp_path))
    assert (first.transactions, second.transactions) == (1, 1)


@pytest.mark.parametrize("said", [CHATTER, NEVER_UP])
def test_what_tells_of_no_lost_connection_is_no_reason(made: list[Fake], tmp_path: Path, said: str) -> None:
    only = Fake()
    made.append(only)
    producer = opened(tmp_path)
    rounds(producer)
    only.says = said
    rounds(producer)
    assert only.transactions == 4


def test_one_that_hears_something_begins_nothing_more(made: list[Fake], tmp_path: Path) -> None:
    first, second = Fake(), Fake()
    made += [first, second]
    producer = opened(tmp_path)
    rounds(producer)
    first.says = LOST
    rounds(producer)
    assert (first.transactions, second.transactions) == (2, 2)


@pytest.mark.parametrize(("seconds", "makers"), [(SILENT_SECONDS, 1), (SILENT_SECONDS + 1, 2)])
def test_after_a_long_silence_one_more_transaction_is_ended_and_then_another_producer_goes_on(
    made: list[Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, makers: int
) -> None:
    at = 100.0
    monkeypatch.setattr("streaming.faust.producer.monotonic", lambda: at)
    first, second = Fake(), Fake()
    made += [first, second]
    producer = opened(tmp_path)
    rounds(producer)
    at += seconds
    rounds(producer)
    rounds(producer)
    assert (first.transactions, second.transactions) == {1: (6, 0), 2: (3, 3)}[makers]


def test_a_replay_may_be_silent_for_long() -> None:
    doubt = Doubt(silent_seconds=inf)
    doubt.begins(0.0)
    doubt.ends(1e9)
    assert not doubt.justified


@pytest.mark.parametrize(("running", "leaving", "begun"), [(1, False, True), (0, False, False), (1, True, False)])
def test_a_worker_does_not_wait_for_the_next_record_to_follow_a_producer_in_doubt(
    made: list[Fake], tmp_path: Path, running: int, leaving: bool, begun: bool
) -> None:
    first, second = Fake(), Fake()
    made += [first, second]
    keeper = object.__new__(KafkaKeeper)
    keeper.producer, keeper._local = opened(tmp_path), None
    rounds(keeper.producer)
    first.says = LOST
    keeper.tend(SimpleNamespace(running=lambda: running), leaving=leaving)  # type: ignore[arg-type]
    assert (made == []) == begun


def test_where_no_new_one_can_begin_the_session_is_lost(made: list[Fake], tmp_path: Path) -> None:
    first = Fake()
    made += [first, Fake(away=True)]
    producer = opened(tmp_path)
    rounds(producer)
    first.says = LOST
    with pytest.raises(SessionLost):
        rounds(producer)
