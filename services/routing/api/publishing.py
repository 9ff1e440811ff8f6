"""Where the sales API puts outcomes: `sales.outcomes`, safely."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.calls import let_go
from streaming.silence import Silence
from streaming.stage import Output, TransientError

log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Takes a record; returns once it is safe."""

    def publish(self, output: Output) -> None:
        """Raises `TransientError` where the record may not have been taken."""


class KafkaPublisher:
    """Publishes with acks=all, idempotently. Blocks; may be called from several threads.

    A client that has delivered nothing for `patience_seconds` and longer is followed by another one (`Silence`).
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
        self._silence = Silence(patience_seconds)
        self._producer = Producer(self._config)

    def publish(self, output: Output) -> None:
        """Returns once the brokers have the record. Raises `TransientError`."""
        failed: list[KafkaError] = []
        done: list[Message] = []

        def heard(error: KafkaError | None, message: Message) -> None:
            done.append(message)
            if error is not None:
                failed.append(error)

        held = [self._producer]
        try:
            held[0].produce(output.topic, output.value, output.key, headers=list(output.headers), on_delivery=heard)
            held[0].flush(self.patience)
        except SystemError as exc:
            # confluent-kafka raises a fatal error inside whatever it calls back next, which then ends in this one.
            self._renew(held)
            raise TransientError(str(exc.__cause__ or exc)) from exc
        except (KafkaException, BufferError) as exc:
            if isinstance(exc, KafkaException) and exc.args[0].fatal():
                self._renew(held)
            raise TransientError(str(exc)) from exc
        self._look_after(held, failed, done)
        if failed or not done:
            raise TransientError(str(failed[0]) if failed else "Kafka did not answer in time")

    def _look_after(self, held: list[Producer], failed: Sequence[KafkaError], done: Sequence[Message]) -> None:
        now = monotonic()
        if done:
            self._silence.note(failed[0] if failed else None, now)
        else:
            self._silence.late(now)
        if self._silence.too_long(now):
            log.warning("the client of sales.outcomes fell silent: another one goes on")
            self._renew(held)

    def _renew(self, held: list[Producer]) -> None:
        """A new producer for one that takes nothing more, as where a broker forgot what it had acknowledged.

        Other requests may hold the old one yet. Each lets go of it in this way, so none waits for its threads.
        """
        with self._renewing:
            if self._producer is held[0]:
                self._producer, self._silence = Producer(self._config), Silence(self.patience)
        let_go(held)

    def close(self) -> None:
        """Wait for what is under way."""
        self._producer.flush(self.patience)
