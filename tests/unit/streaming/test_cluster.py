"""Questions about topics and groups: whatever goes wrong is said in time, asked again, and leaves nothing behind."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic, sleep
from typing import Any

import psutil
import pytest
from kafka.errors import KafkaTimeoutError

from streaming import admin
from streaming.faust import cluster
from streaming.faust.settings import EngineSettings
from streaming.stage import TransientError
from tests.waiting import until


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing, as a broker that is frozen; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def nobody() -> str:
    with silent() as address:
        return address


def settings(bootstrap: str, **options: str) -> EngineSettings:
    named = {name.replace("_", "."): value for name, value in options.items()}
    return EngineSettings(bootstrap=bootstrap, group="g", librdkafka=named)


def held() -> tuple[int, int]:
    gc.collect()  # kafka-python leaves a socket to it whose TLS has failed
    return threading.active_count(), psutil.Process().num_fds()


@pytest.mark.parametrize("options", [{}, {"security_protocol": "SSL"}], ids=["plain", "TLS"])
def test_a_broker_that_says_nothing_is_not_waited_for_and_costs_nothing(
    options: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "kafka")  # a record that is kept keeps the socket that it tells of
    before = held()
    with silent() as address:
        for _ in range(3):
            began = monotonic()
            with pytest.raises(TransientError):
                cluster.group(settings(address, **options), 0.5)
            assert monotonic() - began < 5
    until(lambda: held() <= before, 30, "threads and sockets to be gone")


def test_where_nobody_listens_that_is_said() -> None:
    with pytest.raises(TransientError, match="no broker answers at"):
        cluster.group(settings(nobody()), 0.5)


@pytest.mark.parametrize("first", [nobody, silent], ids=["away", "hangs"])
def test_a_server_that_does_not_answer_keeps_nobody_from_another_one(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], str | AbstractContextManager[str]]
) -> None:
    class Asked:
        """An admin client of a broker that answers, where it is told of the one that does."""

        def __init__(self, bootstrap_servers: list[str], bootstrap_timeout_ms: int, **_: Any) -> None:
            if bootstrap_servers != [answers]:
                sleep(bootstrap_timeout_ms / 1000)
                raise KafkaTimeoutError

        def close(self) -> None:
            pass

    monkeypatch.setattr(admin, "_Admin", Asked)
    given = first()
    with nullcontext(given) if isinstance(given, str) else given as one, silent() as answers:
        began = monotonic()
        with admin.connection(f"{one},{answers}", patience=2.0):
            assert monotonic() - began < 1.9


class Answers:
    """An admin client that says what the test has laid ready."""

    def __init__(self, **said: Any) -> None:
        self.said = {"error": None, "members": [], **said}

    def describe_groups(self, groups: list[str]) -> Mapping[str, Any]:
        if "raises" in self.said:
            raise self.said["raises"]
        return dict.fromkeys(groups, self.said)

    def describe_topics(self, _: list[str]) -> list[Mapping[str, Any]]:
        return [self.said]


def ask(monkeypatch: pytest.MonkeyPatch, **said: Any) -> EngineSettings:
    monkeypatch.setattr(cluster, "connection", lambda *_: nullcontext(Answers(**said)))
    return settings(nobody())


def test_a_group_has_a_state_and_members(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ask(monkeypatch, group_state="Stable", members=[{"client_id": "g-one"}])
    assert cluster.group(told) == ("Stable", frozenset({"g-one"}))


@pytest.mark.parametrize("error", [None, "[Error 69] GroupIdNotFoundError"])
def test_a_group_that_was_never_joined_is_gone(monkeypatch: pytest.MonkeyPatch, error: str | None) -> None:
    assert cluster.group(ask(monkeypatch, group_state="Dead", error=error)) == (cluster.GONE, frozenset())


@pytest.mark.parametrize(
    "said",
    [
        {"group_state": "", "error": "[Error 14] CoordinatorLoadInProgressError"},
        {"raises": OSError("too many open files")},
        {"raises": AssertionError()},
    ],
)
def test_whatever_else_is_said_is_asked_again(monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> None:
    with pytest.raises(TransientError):
        cluster.group(ask(monkeypatch, **said))


@pytest.mark.parametrize(
    ("said", "id_"),
    [("00000000-0000-0000-0000-000000000001", "AAAAAAAAAAAAAAAAAAAAAQ"), (None, cluster.NO_ID)],
)
def test_a_topic_has_the_identity_that_librdkafka_would_say(
    monkeypatch: pytest.MonkeyPatch, said: str | None, id_: str
) -> None:
    assert cluster.topic_id(ask(monkeypatch, error_code=0, topic_id=said), "t") == id_


def test_a_topic_that_is_not_there_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransientError, match="UnknownTopicOrPartition"):
        cluster.topic_id(ask(monkeypatch, error_code=3), "t")
