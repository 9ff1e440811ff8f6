"""A transaction that librdkafka does not get aborted, or offsets sent: a new producer of the same name goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust import producer as module
from streaming.faust.app import EngineSettings
from streaming.faust.faults import Refused, SessionLost
from streaming.faust.producer import TransactionalProducer
from streaming.faust.watchdog import Watchdog

HANGS = KafkaError(KafkaError._TIMED_OUT, "", False, True)
FENCED = KafkaError(KafkaError._FENCED, "", True)


class Fake:
    """A producer whose commits fail; `abort` is what its aborts, `init` what its beginning comes to."""

    def __init__(self, abort: KafkaError | None, init: KafkaError | None = None) -> None:
        self.abort, self.init, self.aborted, self.begun = abort, init, 0, 0

    def init_transactions(self, *_: Any) -> None:
        self.begun += 1
        if self.init is not None:
            raise KafkaException(self.init)

    def abort_transaction(self, *_: Any) -> None:
        self.aborted += 1
        if self.abort is not None:
            raise KafkaException(self.abort)

    def poll(self, *_: Any) -> None: ...
    def begin_transaction(self) -> None: ...
    def purge(self, **_: Any) -> None: ...


def fails(monkeypatch: pytest.MonkeyPatch, folder: Path, *made: Fake) -> type[Exception]:
    """What a round that fails leads to, where these are the producers that are made one after the other."""
    left = list(made)
    monkeypatch.setattr(module, "ABORT_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(EngineSettings, "transactional_producer", lambda *_: left.pop(0))
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=folder, settle_timeout_seconds=0.0)
    tried = TransactionalProducer(settings, "g-one", Watchdog())
    tried.open()
    with pytest.raises((Refused, SessionLost)) as raised, tried.transaction():
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    assert not left
    return raised.type


def test_an_abort_that_goes_through_refuses_the_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fails(monkeypatch, tmp_path, Fake(None)) is Refused


def test_one_that_hangs_is_done_by_a_new_producer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old, new = Fake(HANGS), Fake(None)
    assert fails(monkeypatch, tmp_path, old, new) is Refused
    assert (old.aborted, new.begun, new.aborted) == (1, 1, 0)


def test_where_that_hangs_too_or_the_name_is_taken_the_session_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert fails(monkeypatch, tmp_path, Fake(HANGS), Fake(None, HANGS)) is SessionLost
    assert fails(monkeypatch, tmp_path, Fake(FENCED)) is SessionLost


class Unsendable(Fake):
    """One whose offsets meet an error."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(None)
        self.error, self.asked = error, 0

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self.asked += 1
        raise KafkaException(self.error)


@pytest.mark.parametrize(
    ("error", "init", "expected", "aborted"),
    [
        (HANGS, None, Refused, 0),
        (HANGS, HANGS, SessionLost, 0),
        (FENCED, None, SessionLost, 0),
        (KafkaError(KafkaError.UNKNOWN_MEMBER_ID), None, Refused, 1),
    ],
    ids=["passes", "nobody answers", "fenced", "a rebalance"],
)
def test_offsets_are_sent_once_for_a_second_try_hangs_where_the_coordinator_has_died(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: KafkaError,
    init: KafkaError | None,
    expected: type[Exception],
    aborted: int,
) -> None:
    old, left = Unsendable(error), [Fake(None, init)]
    monkeypatch.setattr(EngineSettings, "transactional_producer", lambda *_: left.pop())
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path, settle_timeout_seconds=0.0)
    tried = TransactionalProducer(settings, "g-one", Watchdog())
    left.append(old)
    tried.open()
    with pytest.raises(expected), tried.transaction() as transaction:
        transaction.send([], b"")

    assert (old.asked, old.aborted) == (1, aborted)
    assert len(left) == (0 if error is HANGS else 1)


def test_a_round_with_a_record_that_was_not_delivered_has_the_next_one_ask_for_its_topic(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A producer is told of a topic that was deleted by nothing but time: the worker would try for ever."""

    def produce(*_: Any) -> None:
        tried._failed.append((KafkaError(KafkaError._MSG_TIMED_OUT), "out"))
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(EngineSettings, "transactional_producer", lambda *_: Fake(None))
    monkeypatch.setattr(module, "demand_topics", lambda *_: {"out": 4})
    settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)
    tried = TransactionalProducer(settings, "g-one", Watchdog())
    tried.open()
    assert tried.partitions("out") == 4
    with pytest.raises(Refused), tried.transaction():
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    assert tried.counts == {"out": 4}
    with pytest.raises(Refused), tried.transaction():
        produce()
    assert tried.counts == {}
