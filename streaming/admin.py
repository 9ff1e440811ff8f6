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


PROBE_SECONDS, PROBE_PAUSE_SECONDS, LOOK_SECONDS = 2.0, 0.2, 0.5
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
    admin = _connected(address, monotonic() + patience, answer_seconds)
    try:
        yield admin
    finally:
        admin.close()


def _connected(address: KafkaAddress, until: float, answer_seconds: float) -> _Admin:
    """A client of the first of the servers that lets us in and answers. Raises KafkaUnreachable, ShutOut.

    Kafka-python would give one of them all of the time. One that hangs takes a connection, too, and then says nothing,
    while the others do all the work: each gets its share.
    """
    share = (until - monotonic()) / len(address.servers)
    at_most = min(share, FIRST_SECONDS)
    while True:
        shut: ShutOut | None = None
        for server in address.servers:
            try:
                return _let_in(address, server, min(until, monotonic() + at_most), answer_seconds)
            except ShutOut as error:  # another one may have the right certificate, say
                shut = error
            except (OSError, *PASSING) as error:
                if monotonic() > until:
                    raise shut or KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
            except KafkaError as error:
                raise KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
        if shut is not None:
            raise shut
        at_most = share
        sleep(PROBE_PAUSE_SECONDS)


def _let_in(address: KafkaAddress, server: str, until: float, answer_seconds: float) -> _Admin:
    """Raises OSError or KafkaError where it does not answer, and ShutOut."""
    seconds = until - monotonic()
    _try(address, server, until)
    try:
        return _Admin(
            **for_kafka_python(
                address,
                bootstrap_servers=[server],
                bootstrap_timeout_ms=max(1, int((until - monotonic()) * 1000)),
                request_timeout_ms=int(answer_seconds * 1000),
                client_id="baton-admin",
            )
        )
    except KafkaError:
        _look_why(address, server, min(PROBE_SECONDS, max(LOOK_SECONDS, seconds / 2)))
        raise


def _look_why(address: KafkaAddress, server: str, seconds: float) -> None:
    """Raises ShutOut where waiting longer would help nobody."""
    if address.protocol.startswith("SASL"):
        if why := stranger(address, seconds):
            raise ShutOut(why)
    elif address.protocol == "PLAINTEXT":
        with suppress(OSError):
            _demand_entry(address, server, seconds)


class _Admin(KafkaAdminClient):  # type: ignore[misc]  # kafka-python has no types
    """One that leaves nothing behind where no broker answers."""

    def __init__(self, **config: Any) -> None:
        try:
            super().__init__(**config)
        except BaseException:
            self._closed = False  # not set yet, and without it `close` does nothing: its thread would live for ever
            self.close()
            raise


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
