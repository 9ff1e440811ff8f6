"""A transactional producer that says what to do about its errors: give the round up, shrink it, or start anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from streaming.faust.calls import ABORT_PATIENCE_SECONDS, insist, let_go
from streaming.faust.doubt import Doubt
from streaming.faust.faults import EngineBroken, Refused, SessionLost, TooLarge, Unanswered, Unsent
from streaming.faust.offsets import demand_topics
from streaming.faust.settings import EngineSettings
from streaming.faust.watchdog import Watchdog
from streaming.partition import destination
from streaming.stage import MARK, Output

log = logging.getLogger(__name__)

CALL_SECONDS = 5.0
FLUSH_SECONDS = 0.2
SILENT_SECONDS = 3.0
"""A producer that has committed nothing for so long may have lived through a broker's crash."""
TOPIC_PATIENCE_SECONDS = 5.0
RENEWAL_SECONDS = 20.0
"""In the middle of a round, whose time is limited; a worker that rejoins has more."""
TOO_LARGE = frozenset((KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_MSG_SIZE))
ABORTED = frozenset((KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT))  # noqa: SLF001
"""Said of records that were taken back by an abort: no reason of their own."""
UNSENDABLE = frozenset(
    (
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 these are the names that confluent-kafka gives them
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
    )
)


class TransactionalProducer:
    """One producer, one transaction at a time."""

    def __init__(self, settings: EngineSettings, name: str, watchdog: Watchdog) -> None:
        self.settings, self.name, self.watchdog = settings, name, watchdog
        self._producer: Producer | None = None
        self.counts: dict[str, int] = {}
        self._failed: list[tuple[KafkaError, str]] = []
        self._doubt = Doubt()
        self._proved = 0.0

    def open(self, patience: float | None = None) -> None:
        """Take the transactional id; an open transaction of that name is aborted. Raises KafkaException.

        For `patience` seconds, or as long as a round may take.
        """
        self.counts = {}
        self._doubt = Doubt()
        self._producer = self.settings.transactional_producer(self.name, heard_by(self._failed), self._doubt)
        try:
            self.insist(self._producer.init_transactions, patience=patience)
        finally:
            with suppress(KafkaException):
                self._producer.poll(0)  # what it has to say of that
        self._doubt.begins(monotonic())
        self._proved = monotonic()

    def renew_if_silent(self) -> None:
        """Begin anew with the same id where nothing was committed for a while. Raises KafkaException.

        After a broker's crash an old producer hangs in its next `send_offsets_to_transaction`, a new one does not.
        """
        if monotonic() - self._proved > SILENT_SECONDS:
            self._begin_anew()

    def renew_in_doubt(self) -> None:
        """Begin anew where the end of the last transaction may have been sent twice. Raises SessionLost."""
        if self._producer is not None:
            self._producer.poll(0)  # what is left to be heard of it
            if self._doubt.justified:
                log.info("%s: begins anew: the end of its last transaction may have been sent twice", self.name)
                self._renew(RENEWAL_SECONDS)

    def close(self) -> None:
        """Drop it; what is open is left to whoever takes the id next."""
        if self._producer is not None:
            gone, self._producer = [self._producer], None
            let_go(gone)

    def insist(
        self, call: Callable[..., Any], *args: Any, seconds: float = CALL_SECONDS, patience: float | None = None
    ) -> None:
        """One of librdkafka's calls, by default for as long as a round may take. See `calls.insist` for the rest."""
        insist(
            self.watchdog,
            call,
            *args,
            seconds=seconds,
            patience=self.settings.settle_timeout_seconds if patience is None else patience,
        )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction: it is committed by its `commit`, or aborted at the end of the block.

        Raises Refused and TooLarge where it was aborted, SessionLost where the producer cannot go on, EngineBroken
        where the records can be published nowhere.
        """
        if self._producer is None:
            raise SessionLost("the producer is closed")
        self.renew_in_doubt()
        self._failed.clear()
        try:
            self._producer.begin_transaction()
            yield Transaction(self, self._producer)
        except Unsent as why:
            log.warning("%s: begins anew: its offsets could not be sent (%s)", self.name, why)
            self._renew()
            raise Refused(str(why)) from why
        except KafkaException as error:
            self._abort(error.args[0])
        except BaseException:
            self._roll_back()
            raise

    def send_in_vain(self, offsets: list[TopicPartition], member: bytes) -> None:
        """Offsets in a transaction that is aborted. Raises as `transaction`."""
        with self.transaction() as transaction:
            transaction.send(offsets, member)
            self._roll_back()

    def partitions(self, topic: str) -> int:
        """How many partitions `topic` has. Raises TopicMissing, Refused where no broker says."""
        known = self.counts.get(topic)
        if known is None:
            if self._producer is None:
                raise SessionLost("the producer is closed")
            try:
                self.counts = demand_topics(self._producer, [topic], TOPIC_PATIENCE_SECONDS)
            except Unanswered as why:
                raise Refused(str(why)) from why
            known = self.counts[topic]
        return known

    def hear(self) -> None:
        """Wait until all is delivered or the first record is not: what was behind that one would be waited for in vain.

        Raises KafkaException with the reason of the first. What takes longer than a call may is left to the commit.
        """
        until = monotonic() + CALL_SECONDS
        while self._producer is not None and self._producer.flush(FLUSH_SECONDS):
            if self._failed or monotonic() > until:
                break
        if self._failed:
            raise KafkaException(self._failed[0][0])

    def end(self, call: Callable[..., Any], patience: float | None = None) -> None:
        """Commit or abort, by one of librdkafka's calls. Raises KafkaException."""
        self._doubt.ends(monotonic())
        self.insist(call, patience=patience)

    def prove(self) -> None:
        """It has just committed."""
        self._proved = monotonic()

    def _renew(self, patience: float | None = None) -> None:
        """Begin anew, out of reach of whatever was sent to end a former transaction. Raises SessionLost.

        What other workers own stays theirs: a transaction counts only with the group's word that our partitions are.
        """
        counts = self.counts
        try:
            self._begin_anew(patience)
        except KafkaException as error:
            raise SessionLost(str(error.args[0])) from error
        self.counts = counts

    def _abort(self, error: KafkaError) -> None:
        if error.fatal():
            raise SessionLost(str(error))
        self._roll_back()
        causes = [error, *(cause for cause, _ in self._failed)]
        for cause in causes:
            if cause.code() in TOO_LARGE:
                self._begin_anew()  # librdkafka often goes on with the wrong sequence numbers after such a batch
                raise TooLarge(str(cause))
        for cause in causes:
            if cause.code() in UNSENDABLE:
                raise EngineBroken(f"an output cannot be published: {cause}")
        if self._failed:
            self.counts = {}  # librdkafka keeps records whose topic is gone until they time out: ask whether it is
        raise Refused(str(error))

    def _begin_anew(self, patience: float | None = None) -> None:
        """A new producer takes the id. Raises KafkaException."""
        self.close()
        self.open(patience)

    def _roll_back(self) -> None:
        if self._producer is None:
            return
        try:
            try:
                self.end(self._producer.abort_transaction, ABORT_PATIENCE_SECONDS)
            except KafkaException as error:
                if error.args[0].fatal() or not error.args[0].retriable():
                    raise
                log.warning("%s: the transaction is aborted by a new producer", self.name)
                self._begin_anew()
        except KafkaException as error:
            raise SessionLost(str(error.args[0])) from error


def heard_by(failed: list[tuple[KafkaError, str]]) -> Callable[[KafkaError | None, Message], None]:
    """A callback that notes why records were not delivered, and to which topic.

    It holds no more than the list: a producer that is held by its own callback is never freed.
    """

    def heard(error: KafkaError | None, message: Message) -> None:
        if error is not None and error.code() not in ABORTED:
            failed.append((error, message.topic() or ""))

    return heard


class Transaction:
    """An open transaction."""

    def __init__(self, owner: TransactionalProducer, producer: Producer) -> None:
        self._owner, self._producer = owner, producer

    def publish(self, outputs: Sequence[Output], source: int) -> None:
        """Records with headers, made of records of source partition number `source`."""
        produce, counts = self._producer.produce, self._owner.counts
        for topic, key, value, headers, chosen, _ in outputs:
            partitions = counts.get(topic) or self._owner.partitions(topic)
            number = destination(key, chosen, source, partitions) if chosen is None else chosen
            named = headers if type(headers) is list else list(headers)  # the only kind that confluent-kafka takes
            try:
                produce(topic, value, key, number, headers=named)
            except BufferError:
                self._produce_slowly(topic, value, key, number, named)

    def write(
        self, topic: str, partition: int, values: Mapping[bytes, Any], dumps: Callable[[Any], bytes], mark: bytes
    ) -> None:
        """Values by key (None: forgotten), into a partition of a changelog, and how far they go (`marks`)."""
        rows: list[dict[str, Any]] = [
            {"key": key, "value": None if value is None else dumps(value)} for key, value in values.items()
        ]
        rows.append({"key": MARK, "value": mark})
        while rows and self._producer.produce_batch(topic, rows, partition) != len(rows):
            rows = [row for row in rows if "_error" in row]
            for row in rows:
                error = row.pop("_error")
                if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001
                    raise KafkaException(error)
            self._producer.poll(0.05)

    def _produce_slowly(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        number: int,
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        """The broker is slower than we are: wait until there is room. The round's deadline bounds it."""
        while True:
            self._producer.poll(0.05)
            try:
                return self._producer.produce(topic, value, key, number, headers=headers)
            except BufferError:
                continue

    def send(self, offsets: list[TopicPartition], member: bytes) -> None:
        """Offsets become part of it. `member`: the group's word that the partitions are ours.

        Tried once. A producer keeps to the group's coordinator that it knows, for minutes, also where that has died and
        another has taken its place: the next try hung for ever, or ended in a state that nothing could be done in.
        """
        try:
            self._owner.insist(self._producer.send_offsets_to_transaction, offsets, member, patience=0.0)
        except KafkaException as error:
            if error.args[0].fatal() or not error.args[0].retriable():
                raise
            raise Unsent(str(error.args[0])) from error

    def commit(self, offsets: list[TopicPartition], member: bytes) -> None:
        """Offsets and everything published become visible, at once. `member`: as in `send`."""
        self.send(offsets, member)
        self._owner.hear()
        self._owner.end(self._producer.commit_transaction)
        self._owner.prove()
