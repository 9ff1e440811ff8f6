"""A connection to the brokers for those who look after topics and groups; patient with brokers that just came up."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RetriableError, UnknownBrokerIdError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from streaming.client import KafkaAddress

T = TypeVar("T")

# A fresh broker says NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE and the like until its own topics are there.
PASSING = (RetriableError, KafkaConnectionError, KafkaTimeoutError, UnknownBrokerIdError)
"""Faults that pass. The last is what kafka-python says of a partition whose leader is not known at the moment."""


PROBE_SECONDS, PROBE_PAUSE_SECONDS = 2.0, 0.2


class KafkaUnreachable(Exception):
    """No broker answered, or none of them let us in; the text says where and why."""


class KafkaRefused(Exception):
    """The brokers answered and said no; the text says to what and why."""


@contextmanager
def connection(
    address: KafkaAddress | str, patience: float = 30.0, answer_seconds: float = 30.0
) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end; waits up to `patience` seconds for a broker. Raises KafkaUnreachable.

    `answer_seconds`: what a broker that takes a question may take for the answer.
    """
    if isinstance(address, str):
        address = KafkaAddress.parse(address)
    admin = client(address, _Admin, patience, request_timeout_ms=int(answer_seconds * 1000), client_id="baton-admin")
    try:
        yield admin
    finally:
        admin.close()


class _Admin(KafkaAdminClient):  # type: ignore[misc]  # kafka-python has no types
    """One that leaves nothing behind where no broker answers."""

    def __init__(self, **config: Any) -> None:
        try:
            super().__init__(**config)
        except BaseException:
            self._closed = False  # not set yet, and without it `close` does nothing: its thread would live for ever
            self.close()
            raise


def client(address: KafkaAddress, make: Callable[..., T], patience: float = 30.0, **config: Any) -> T:
    """A client of kafka-python's that has heard of the first of the servers that answers. Raises KafkaUnreachable.

    `make` is its class, `config` is in its own words. By itself it would give one of the servers all of the time. One
    that hangs takes a connection, too, and then says nothing, while the others do all the work: each gets its share.
    """
    until = monotonic() + patience
    share = patience / len(address.servers)
    while True:
        for server in address.servers:
            try:
                _knock(server)
                return make(
                    **address.kafka_python_config(
                        bootstrap_servers=[server],
                        bootstrap_timeout_ms=max(1, int(min(share, until - monotonic()) * 1000)),
                        **config,
                    )
                )
            except (OSError, *PASSING) as error:
                why = error
            except KafkaError as error:
                raise KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
            if monotonic() > until:
                raise KafkaUnreachable(f"no broker answers at {address.bootstrap} ({why})") from why
        sleep(PROBE_PAUSE_SECONDS)


def _knock(server: str) -> None:
    """Raises OSError where nobody takes a connection."""
    host, _, port = server.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()


def ask(
    address: KafkaAddress | str,
    question: Callable[[KafkaAdminClient], T],
    patience: float = 30.0,
    answer_seconds: float = 30.0,
) -> T:
    """What `question` gives of a connection, asked again and again as `patiently` does, `patience` seconds for all.

    By a new client each time: one that has heard who looks after a group keeps to that broker, also when it has died.
    """
    until = monotonic() + patience

    def once() -> T:
        with connection(address, max(PROBE_SECONDS, until - monotonic()), answer_seconds) as admin:
            return question(admin)

    return patiently(once, patience)


def patiently(call: Callable[[], T], patience: float = 30.0) -> T:
    """What `call` gives; it is called again while the brokers' fault is one that passes, for `patience` seconds.

    Raises KafkaUnreachable where the fault did not pass, KafkaRefused where the brokers said no.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(PASSING),
        stop=stop_after_delay(patience),
        wait=wait_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    )
    try:
        return retrying(call)
    except PASSING as error:
        raise KafkaUnreachable(f"the brokers did not become ready in {patience:g} s ({error})") from error
    except KafkaError as error:
        raise KafkaRefused(str(error)) from error
