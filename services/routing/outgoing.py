"""Records to Kafka, exactly once: with them, in one transaction, goes how far each lane of the outbox is.

The lane's position is kept as an offset of a consumer group that nobody joins, on the partition of that number. A
fixed transactional id fences: of two publishers only the younger one can commit, and when it has taken the id, what
the older one left open is aborted. The metadata of an offset names the ledger that it counts for.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from time import monotonic, sleep

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from services.routing.ledger.outbox import Waiting
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.calls import OFFSETS_PATIENCE_SECONDS, insist
from streaming.faust.watchdog import Watchdog
from streaming.partition import destination

log = logging.getLogger(__name__)

CALL_SECONDS, PAUSE_SECONDS = 5.0, 0.2
CLOSE_SECONDS = 30.0
SETTLE_SECONDS = 60.0
RETRY_BACKOFF_MS = 10  # the next transaction is refused while the markers of the last one are written


class PublisherLost(Exception):
    """This publisher cannot go on (fenced, or the broker refused): make a new one."""


class KafkaPublisher:
    """One transaction at a time, under the id `name`."""

    def __init__(
        self, address: KafkaAddress, name: str, lanes_topic: str, ledger_id: str, watchdog: Watchdog | None = None
    ) -> None:
        self.lanes_topic, self.ledger_id = lanes_topic, ledger_id
        self._watchdog = watchdog or Watchdog()
        self._partitions: dict[str, int] = {}
        self._producer = Producer(
            address.librdkafka_config(
                client_id=name,
                transactional_id=name,
                transaction_timeout_ms=10_000,
                linger_ms=0,
                max_in_flight=IN_FLIGHT,
                retry_backoff_ms=RETRY_BACKOFF_MS,
                retry_backoff_max_ms=100,
                message_max_bytes=8_000_000,
            )
        )
        self._group = Consumer(
            address.librdkafka_config(group_id=name, enable_auto_commit=False, isolation_level="read_committed")
        )

    def open(self) -> None:
        """Take the id. Raises PublisherLost."""
        self._watchdog.start()
        try:
            insist(self._watchdog, self._producer.init_transactions, seconds=30.0, patience=SETTLE_SECONDS)
        except KafkaException as exc:
            raise PublisherLost(str(exc)) from exc

    def close(self) -> None:
        """Give the clients up; what is open is aborted by whoever takes the id next."""
        with self._watchdog.limit("the relay's close", CLOSE_SECONDS):
            self._producer.purge(blocking=False)
            self._group.close()
        self._watchdog.close()

    def positions(self, lanes: Collection[int]) -> dict[int, int]:
        """Next sequence of each of `lanes` that Kafka knows for this ledger. Raises PublisherLost."""
        if not lanes:
            return {}
        until = monotonic() + SETTLE_SECONDS
        while True:
            try:
                found = self._group.committed([self._slot(lane) for lane in sorted(lanes)], CALL_SECONDS)
            except KafkaException as exc:
                if monotonic() > until:
                    raise PublisherLost(str(exc)) from exc
                sleep(PAUSE_SECONDS)
                continue
            wrong = [at.error for at in found if at.error is not None]
            if not wrong:
                return {at.partition: at.offset for at in found if at.offset >= 0 and at.metadata == self.ledger_id}
            if monotonic() > until:
                raise PublisherLost(str(wrong[0]))
            sleep(PAUSE_SECONDS)

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        """Publish `records` and move the lanes to `nexts`, together. Raises PublisherLost.

        Whether the records are published is not known then: ask a new publisher for `positions` before anything else.
        """
        try:
            self._producer.begin_transaction()
            for record in records:
                self._produce(record)
            slots = [self._slot(lane, at) for lane, at in nexts.items()]
            member = self._group.consumer_group_metadata()
            send = self._producer.send_offsets_to_transaction
            insist(self._watchdog, send, slots, member, seconds=CALL_SECONDS, patience=OFFSETS_PATIENCE_SECONDS)
            insist(self._watchdog, self._producer.commit_transaction, seconds=CALL_SECONDS, patience=SETTLE_SECONDS)
        except KafkaException as exc:
            self._abort(exc)
            raise PublisherLost(str(exc)) from exc

    def _produce(self, record: Waiting) -> None:
        topic, key, value, headers, chosen, _ = record.output
        number = destination(key, chosen, record.lane, self._count(topic))
        while True:
            try:
                self._producer.produce(topic, value, key, number, headers=list(headers))
            except BufferError:  # the broker is slower than the ledger
                self._producer.poll(0.05)
            else:
                return

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            found = self._producer.list_topics(topic, timeout=CALL_SECONDS).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            if not found.partitions:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"{topic} has no partitions"))
            self._partitions[topic] = len(found.partitions)
        return self._partitions[topic]

    def _slot(self, lane: int, at: int | None = None) -> TopicPartition:
        if at is None:
            return TopicPartition(self.lanes_topic, lane)
        return TopicPartition(self.lanes_topic, lane, at, self.ledger_id)

    def _abort(self, why: KafkaException) -> None:
        """Where nothing answers, that is left to the next publisher."""
        if why.args[0].fatal() or why.args[0].retriable():
            return
        try:
            insist(self._watchdog, self._producer.abort_transaction, seconds=CALL_SECONDS, patience=SETTLE_SECONDS)
        except KafkaException as exc:
            log.warning("the transaction could not be aborted; the next publisher does it: %s", exc)
