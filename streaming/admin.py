"""A connection to the brokers for those who look after topics and groups; patient with brokers that just came up."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    RetriableError,
    UnknownBrokerIdError,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from streaming.client import KafkaAddress
from streaming.entry import for_kafka_python, knock, stranger

T = TypeVar("T")

# A fresh broker says NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE and the like until its own topics are there.
PASSING = (RetriableError, KafkaConnectionError, KafkaTimeoutError, UnknownBrokerIdError)
"""Faults that pass. The last is what kafka-python says of a partition whose leader is not known at the moment."""


PROBE_SECONDS, PROBE_PAUSE_SECONDS = 2.0, 0.2
FIRST_SECONDS = 5.0
"""kafka-python does not say why it was not let in, so that is looked at after this time, and then it has the rest."""


class KafkaUnreachable(Exception):
    """No broker answered, or none of them let us in; the text says where and why."""


class ShutOut(KafkaUnreachable):
    """Brokers are there and do not let us in; the text says why, and which of the clients' options to look at."""


class KafkaRefused(Exception):
    """The brokers answered and said no; the text says to what and why."""


@contextmanager
def connection(
    address: KafkaAddress | str, patience: float = 30.0, answer_seconds: float = 30.0
) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end; waits up to `patience` seconds for a broker.

    Raises KafkaUnreachable, ShutOut without any patience where no broker would ever let us in, and UnusableAddress.

    `answer_seconds`: what a broker that takes a question may take for the answer.
    """
    if isinstance(address, str):
        address = KafkaAddress.parse(address)
    until = monotonic() + patience
    server = _reachable(address, until)
    try:
        admin = _let_in(address, server, min(until, monotonic() + FIRST_SECONDS), answer_seconds)
    except KafkaError:
        _look_why(address, server)
        try:
            admin = _let_in(address, server, until, answer_seconds)
        except KafkaError as error:
            raise KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
    try:
        yield admin
    finally:
        admin.close()


def _let_in(address: KafkaAddress, server: str, until: float, answer_seconds: float) -> KafkaAdminClient:
    config = for_kafka_python(
        address,
        bootstrap_servers=[server],
        bootstrap_timeout_ms=max(1, int((until - monotonic()) * 1000)),
        request_timeout_ms=int(answer_seconds * 1000),
        client_id="baton-admin",
    )
    return _Admin(**config)


def _look_why(address: KafkaAddress, server: str) -> None:
    """Raises ShutOut where waiting longer would help nobody."""
    if address.protocol.startswith("SASL"):
        if why := stranger(address, PROBE_SECONDS):
            raise ShutOut(why)
    elif address.protocol == "PLAINTEXT":
        with suppress(OSError):
            _demand_entry(address, server, PROBE_SECONDS)


class _Admin(KafkaAdminClient):  # type: ignore[misc]  # kafka-python has no types
    """One that leaves nothing behind where no broker answers."""

    def __init__(self, **config: Any) -> None:
        try:
            super().__init__(**config)
        except BaseException:
            self._closed = False  # not set yet, and without it `close` does nothing: its thread would live for ever
            self.close()
            raise


def _reachable(address: KafkaAddress, until: float) -> str:
    """The first of the servers that lets us in: kafka-python would give one of them all of the time."""
    while True:
        shut: ShutOut | None = None
        for server in address.servers:
            try:
                _try(address, server, until)
            except ShutOut as error:  # another one may have the right certificate
                shut = error
            except OSError as error:
                if monotonic() > until:
                    raise shut or KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
            else:
                return server
        if shut is not None:
            raise shut
        sleep(PROBE_PAUSE_SECONDS)


def _try(address: KafkaAddress, server: str, until: float) -> None:
    """Raises OSError where it does not answer, and ShutOut."""
    if address.protocol.endswith("SSL"):  # kafka-python would wait without end where it then says nothing of TLS
        alone = len(address.servers) == 1
        _demand_entry(address, server, max(PROBE_SECONDS, until - monotonic()) if alone else PROBE_SECONDS)
    else:
        host, _, port = server.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()


def _demand_entry(address: KafkaAddress, server: str, seconds: float) -> None:
    if why := knock(address, server, seconds):
        raise ShutOut(why)


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
