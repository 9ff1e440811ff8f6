"""A connection to the brokers for those who look after topics and groups; patient with brokers that just came up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RetriableError, UnknownBrokerIdError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from streaming.client import KafkaAddress

T = TypeVar("T")

# A fresh broker says NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE and the like until its own topics are there.
PASSING = (RetriableError, KafkaConnectionError, KafkaTimeoutError, UnknownBrokerIdError)
"""Faults that pass. The last is what kafka-python says of a partition whose leader is not known at the moment."""


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
    config = address.kafka_python_config(
        bootstrap_timeout_ms=int(patience * 1000),
        request_timeout_ms=int(answer_seconds * 1000),
        client_id="baton-admin",
    )
    try:
        admin = KafkaAdminClient(**config)
    except KafkaError as error:
        raise KafkaUnreachable(f"no broker answers at {address.bootstrap} ({error})") from error
    try:
        yield admin
    finally:
        admin.close()


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
