"""Sends records in transactions, for commands: each call of `send` is safe as a whole, or did not happen."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Producer

from baton.refusal import NO, Refusal
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust import doubt
from streaming.faust.calls import insist
from streaming.faust.doubt import Doubt
from streaming.faust.producer import TOO_LARGE, heard_by
from streaming.faust.settings import RETRY_BACKOFF_MS
from streaming.faust.watchdog import Watchdog
from streaming.stage import Output

log = logging.getLogger(__name__)
# What a client says of its connections is for the logs of workers. A command has none: it says in one line what became
# of it, and Python would print what has no handler at all.
logging.getLogger(doubt.__name__).addHandler(logging.NullHandler())

_CALL = 5.0
_PATIENCE = 60.0  # seconds until a broker that does not answer is given up
_FENCED = frozenset((KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH))  # noqa: SLF001


class TooLargeForTopic(Refusal):
    """One of the records is larger than its topic takes. `topics`: which refused one, as far as is known."""

    def __init__(self, topics: Collection[str], details: str = "") -> None:
        words = f"a record is larger than its topic takes{details}"
        super().__init__(words, f"Raise max.message.bytes of {', '.join(sorted(topics)) or 'the topic'}", NO)
        self.topics = frozenset(topics)


class Outbound:
    """A producer that has the transactional id `name` to itself: whoever had it before is refused from now on."""

    def __init__(self, address: KafkaAddress, name: str) -> None:
        self._watchdog = Watchdog()
        self._failed: list[tuple[KafkaError, str]] = []
        self._doubt = Doubt(silent_seconds=math.inf)  # to look for the next records may take long
        self._producer = Producer(
            address.librdkafka_config(
                client_id=name,
                transactional_id=name,
                enable_idempotence=True,
                max_in_flight=IN_FLIGHT,
                acks="all",
                partitioner="murmur2_random",
                message_max_bytes=1_000_000_000,  # what is too large is the topic's business
                transaction_timeout_ms=30_000,
                delivery_report_only_error=True,
                linger_ms=5,
                retry_backoff_ms=RETRY_BACKOFF_MS,  # a replay of many records is many transactions in a row
                retry_backoff_max_ms=100,
            )
            | {"on_delivery": heard_by(self._failed), "logger": self._doubt}
            | Doubt.LOGS
        )

    def __enter__(self) -> Self:
        """Take the id. Raises `Refusal`."""
        self._watchdog.start()
        try:
            try:
                self._insist(self._producer.init_transactions, 30.0)
            finally:
                self._producer.poll(0)  # what it has to say of that
            self._doubt.begins(time.monotonic())
        except KafkaException as error:
            raise Refusal(f"the broker takes no transactions: {_words(error)}", "See `baton doctor`", NO) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._producer.purge(blocking=False)
        self._watchdog.close()

    def send(self, outputs: Sequence[Output]) -> None:
        """Send records in order; come back once all are safe, on all in-sync replicas, and visible.

        Raises `Refusal` (`TooLargeForTopic` is one); then none of them is, or, where it says so, nobody knows.
        """
        if not outputs:
            return
        self._producer.poll(0)
        if self._doubt.justified:  # a new producer would take the id from another command that may have begun
            mend = "`baton failed list` says what is replayed; then replay the rest"
            raise Refusal("the broker was away for a moment, and not all is replayed", mend, NO)
        self._failed.clear()
        try:
            self._producer.begin_transaction()
            for output in outputs:
                self._produce(output)
            self._doubt.ends(time.monotonic())
            self._insist(self._producer.commit_transaction, _CALL)
        except KafkaException as error:
            self._end(error)
        except BaseException:  # Ctrl-C too: nothing is left open, for readers would wait for it
            self._roll_back()
            raise

    def _produce(self, output: Output) -> None:
        partition = -1 if output.partition is None else output.partition
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._producer.produce(output.topic, output.value, output.key, partition, headers=list(output.headers))
            except BufferError:
                if time.monotonic() > deadline:
                    raise Refusal("the broker takes nothing more", "See `baton doctor`", NO) from None
                self._producer.poll(0.1)
            else:
                return

    def _insist(self, call: Callable[[float], Any], seconds: float) -> None:
        insist(self._watchdog, call, seconds=seconds, patience=_PATIENCE)

    def _end(self, error: KafkaException) -> None:
        """Roll back, and say what was wrong."""
        first: KafkaError = error.args[0]
        causes = [first, *(cause for cause, _ in self._failed)]
        if any(cause.code() in _FENCED for cause in causes):
            raise Refusal("another replay has begun and goes on", "See `baton failed list` once it has ended", NO)
        if first.retriable():
            mend = "Whether the last records were replayed, `baton failed list` says once it answers"
            raise Refusal("the broker has stopped answering", mend, NO) from error
        self._roll_back()
        if any(cause.code() in TOO_LARGE for cause in causes):
            raise TooLargeForTopic({topic for cause, topic in self._failed if cause.code() in TOO_LARGE})
        raise Refusal(f"the broker refuses: {_words(error)}", "See `baton doctor`, then run it again", NO) from error

    def _roll_back(self) -> None:
        try:
            self._insist(self._producer.abort_transaction, _CALL)
        except KafkaException as error:  # then the broker aborts it, when its time is over
            log.warning("a transaction was left open: %s", _words(error))


def _words(error: KafkaException) -> str:
    return str(error.args[0].str())
