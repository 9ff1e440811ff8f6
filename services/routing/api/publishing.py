"""Where the sales API puts outcomes: `sales.outcomes`, safely."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import NamedTuple, Protocol

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


class _Client(NamedTuple):
    producer: Producer
    silence: Silence


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
        self._client = self._made()

    def publish(self, output: Output) -> None:
        """Returns once the brokers have the record. Raises `TransientError`."""
        failed: list[KafkaError] = []
        done: list[Message] = []

        def heard(error: KafkaError | None, message: Message) -> None:
            done.append(message)
            if error is not None:
                failed.append(error)

        client = self._client
        held = [client.producer]  # in a list, which `let_go` can empty
        try:
            held[0].produce(output.topic, output.value, output.key, headers=list(output.headers), on_delivery=heard)
            held[0].flush(self.patience)
            if done:
                client.silence.note(failed[0] if failed else None, monotonic())
            else:
                client.silence.missed(monotonic())
            if client.silence.too_long:
                log.warning("the client of sales.outcomes fell silent: another one goes on")
                self._renew(client)
        except SystemError as exc:
            # confluent-kafka raises a fatal error inside whatever it calls back next, which then ends in this one.
            self._renew(client)
            raise TransientError(str(exc.__cause__ or exc)) from exc
        except (KafkaException, BufferError) as exc:
            if isinstance(exc, KafkaException) and exc.args[0].fatal():
                self._renew(client)
            raise TransientError(str(exc)) from exc
        finally:
            gone = self._client is not client
            del client
            if gone:  # whoever holds it last would wait for its threads
                let_go(held)
        if failed or not done:
            raise TransientError(str(failed[0]) if failed else "Kafka did not answer in time")

    def _made(self) -> _Client:
        return _Client(Producer(self._config), Silence(self.patience))

    def _renew(self, ended: _Client) -> None:
        """Another client for one that takes nothing more, as where a broker forgot what it had acknowledged."""
        with self._renewing:
            if self._client is ended:
                self._client = self._made()

    def close(self) -> None:
        """Wait for what is under way."""
        self._client.producer.flush(self.patience)
