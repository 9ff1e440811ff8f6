"""Asking the brokers: which faults are waited out, and which are a no."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from kafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError, UnknownBrokerIdError

from streaming import admin
from streaming.admin import KafkaRefused, KafkaUnreachable, ask, patiently


def test_a_partition_without_a_leader_at_the_moment_is_asked_for_again() -> None:
    answers: list[KafkaError | int] = [UnknownBrokerIdError(-1), 7]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return answer

    assert patiently(ask, 10) == 7


def test_a_no_is_a_no() -> None:
    def ask() -> int:
        raise TopicAuthorizationFailedError("leads.events")

    with pytest.raises(KafkaRefused, match=r"leads\.events"):
        patiently(ask, 10)


def test_a_client_whose_coordinator_has_died_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka-python asks no second time who looks after a group."""
    clients = iter(["keeps to the dead one", "asks anew"])

    @contextmanager
    def connection(*_: object) -> Iterator[str]:
        yield next(clients)

    def question(client: str) -> str:
        if client == "keeps to the dead one":
            raise KafkaConnectionError(client)
        return client

    monkeypatch.setattr(admin, "connection", connection)

    assert ask("127.0.0.1:1", question, 10) == "asks anew"


def test_brokers_that_take_connections_and_say_nothing_do_not_take_longer_than_they_may() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        servers = ",".join(f"127.0.0.1:{door.getsockname()[1]}" for door in (one, other))
        began = monotonic()
        with pytest.raises(KafkaUnreachable, match=servers):
            ask(servers, lambda _: None, patience=1.0)

    assert monotonic() - began < 20
