"""Where the sales API puts outcomes: `sales.outcomes`, safely."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.stage import Output, TransientError

log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Takes a record; returns once it is safe."""

    def publish(self, output: Output) -> None:
        """Raises `TransientError` where the record may not have been taken."""


class KafkaPublisher:
    """Publishes with acks=all, idempotently. Blocks; may be called from several threads.

    A client that has delivered nothing for `patience_seconds` and longer is followed by another one: one has been seen
    that sent nothing for good after a broker's restart, and said no word of it.
    """

    def __init__(self, address: KafkaAddress, patience_seconds: float = 10.0) -> None:
        self.patience = patience_seconds
        self._config = address.librdkafka_config(
            client_id="baton-sales",
            enable_idempotence=True,
            max_in_flight=IN_FLIGHT,
            acks="all",
            partitioner="murmur2_random",
            linger_ms=2,
            message_timeout_ms=int(patience_seconds * 1000),
        )
        self._renewing = threading.Lock()
        self._late_since: float | None = None
        self._producer = Producer(self._config)

    def publish(self, output: Output) -> None:
        """Returns once the brokers have the record. Raises `TransientError`."""
        failed: list[KafkaError] = []
        done: list[Message] = []

        def heard(error: KafkaError | None, message: Message) -> None:
            done.append(message)
            if error is not None:
                failed.append(error)

        producer = self._producer
        try:
            producer.produce(output.topic, output.value, output.key, headers=list(output.headers), on_delivery=heard)
            producer.flush(self.patience)
        except SystemError as exc:
            # confluent-kafka raises a fatal error inside whatever it calls back next, which then ends in this one.
            self._renew(producer)
            raise TransientError(str(exc.__cause__ or exc)) from exc
        except (KafkaException, BufferError) as exc:
            if isinstance(exc, KafkaException) and exc.args[0].fatal():
                self._renew(producer)
            raise TransientError(str(exc)) from exc
        if not failed and done:
            self._late_since = None
        elif not done or failed[0].code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 its only name
            self._late(producer)
        if failed or not done:
            raise TransientError(str(failed[0]) if failed else "Kafka did not answer in time")

    def _late(self, producer: Producer) -> None:
        since, now = self._late_since, monotonic()
        if since is None:
            self._late_since = now
        elif now - since > self.patience:
            log.warning("the client of sales.outcomes fell silent: another one goes on")
            self._renew(producer)

    def _renew(self, ended: Producer) -> None:
        """A new producer for one that takes nothing more, as where a broker forgot what it had acknowledged."""
        with self._renewing:
            if self._producer is ended:
                self._producer, self._late_since = Producer(self._config), None

    def close(self) -> None:
        """Wait for what is under way."""
        self._producer.flush(self.patience)
