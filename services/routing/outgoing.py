"""Records to Kafka, exactly once: with them, in one transaction, goes how far each lane of the outbox is.

That is a record of the topic `routing.state`, and the last one counts: it tells of all lanes, and names the ledger that
it counts for. A fixed transactional id fences: of two publishers only the younger one can commit, and when it has
taken the id, what the older one left open is ended, so what it then reads is the last word.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import NamedTuple

import orjson
from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.topics import LEADS_SCORED, changelog
from services.routing.ledger.outbox import Waiting
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.calls import ABORT_PATIENCE_SECONDS, insist, let_go
from streaming.faust.doubt import Doubt
from streaming.faust.faults import TopicMissing, Unsettled
from streaming.faust.marks import last_values
from streaming.faust.offsets import demand_topics, ends, stable_offsets
from streaming.faust.producer import TOO_LARGE, heard_by
from streaming.faust.settings import RETRY_BACKOFF_MS, EngineSettings
from streaming.faust.watchdog import Watchdog
from streaming.partition import destination

log = logging.getLogger(__name__)

CALL_SECONDS, PAUSE_SECONDS = 5.0, 0.2
CLOSE_SECONDS = 30.0
SETTLE_SECONDS = 60.0
TOPIC_SECONDS = 5.0
BUFFERED_KBYTES = 16 * 1024
"""What the broker has not acknowledged: a round of the relay, or the largest record that is sent."""
MESSAGE_BYTES = 8_000_000
LANES = b"lanes"
"""Key of the record that says how far the lanes are, in partition 0."""


class PublisherLost(Exception):
    """This publisher cannot go on (fenced, or the broker refused): make a new one."""


class TooLargeForKafka(PublisherLost):
    """The same, for one of the records is larger than its topic takes; nothing was published."""


class Lanes(NamedTuple):
    """Next sequence of each lane of a ledger."""

    ledger_id: str
    nexts: Mapping[int, int]

    def to_bytes(self) -> bytes:
        """As it stands in the topic."""
        return orjson.dumps({"ledger": self.ledger_id, "next": {str(lane): at for lane, at in self.nexts.items()}})

    @classmethod
    def of(cls, value: bytes) -> Lanes:
        """Raises ValueError, KeyError, TypeError, AttributeError for what is no such record."""
        said = orjson.loads(value)
        return cls(said["ledger"], {int(lane): at for lane, at in said["next"].items()})


class KafkaPublisher:
    """One transaction at a time, under the id `name`."""

    def __init__(
        self, address: KafkaAddress, name: str, prefix: str, ledger_id: str, watchdog: Watchdog | None = None
    ) -> None:
        """`prefix` as of the topics."""
        self.ledger_id = ledger_id
        self.lanes_topic, self.marks_topic = prefix + LEADS_SCORED, prefix + changelog("routing")
        self._watchdog = watchdog or Watchdog()
        self._partitions: dict[str, int] = {}
        self._marked: dict[int, int] = {}
        self._doubt = Doubt()
        self._failed: list[tuple[KafkaError, str]] = []
        self._producer = Producer(
            address.librdkafka_config(
                client_id=name,
                transactional_id=name,
                transaction_timeout_ms=10_000,
                linger_ms=0,
                max_in_flight=IN_FLIGHT,
                retry_backoff_ms=RETRY_BACKOFF_MS,
                retry_backoff_max_ms=100,
                message_max_bytes=MESSAGE_BYTES,
                queue_buffering_max_kbytes=BUFFERED_KBYTES,
                delivery_report_only_error=True,
                logger=self._doubt,
            )
            | {"on_delivery": heard_by(self._failed)}
            | Doubt.LOGS
        )
        self._settings = EngineSettings(bootstrap=address.bootstrap, librdkafka=address.options, group=name)
        self._asker = self._settings.offset_reader("read_uncommitted")

    def open(self) -> None:
        """Take the id, and read how far the lanes are. Raises PublisherLost."""
        self._watchdog.start()
        try:
            try:
                insist(self._watchdog, self._producer.init_transactions, seconds=30.0, patience=SETTLE_SECONDS)
            finally:
                self._producer.poll(0)  # what it has to say of that
            self._doubt.begins(monotonic())
            demand_topics(self._asker, [self.marks_topic], TOPIC_SECONDS)
            around = ends(self._asker, self.marks_topic, [0])
            said = last_values(self._settings, self.marks_topic, around, LANES).get(0)
            if said is not None and (lanes := Lanes.of(said)).ledger_id == self.ledger_id:
                self._marked = dict(lanes.nexts)
        except (KafkaException, TopicMissing, Unsettled) as exc:
            raise PublisherLost(str(exc)) from exc
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise PublisherLost(f"the last word of {self.marks_topic} on the lanes cannot be read: {exc}") from exc

    def close(self) -> None:
        """Give the clients up; what is open is aborted by whoever takes the id next."""
        with self._watchdog.limit("the relay's close", CLOSE_SECONDS):
            gone = [self._producer]
            del self._producer
            let_go(gone)
            self._asker.close()
        self._watchdog.close()

    def in_doubt(self) -> bool:
        """Whether the end of its last transaction may have been sent twice (`Doubt`): then a new one has to go on."""
        self._producer.poll(0)
        return self._doubt.justified

    def positions(self, lanes: Collection[int]) -> dict[int, int]:
        """Next sequence of each of `lanes` that Kafka knows for this ledger. Raises PublisherLost."""
        marked = {lane: self._marked[lane] for lane in lanes if lane in self._marked}
        return self._of_the_group(sorted(set(lanes) - marked.keys())) | marked

    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
        """Publish `records` and move the lanes to `nexts`, together. Raises PublisherLost, TooLargeForKafka.

        Whether the records are published is not known then: ask a new publisher for `positions` before anything else.
        """
        lanes = Lanes(self.ledger_id, {**self._marked, **nexts})
        try:
            self._producer.begin_transaction()
            for record in records:
                topic, key, value, headers, chosen, _ = record.output
                number = destination(key, chosen, record.lane, self._count(topic))
                self._produce(topic, key, value, number, list(headers))
            self._produce(self.marks_topic, LANES, lanes.to_bytes(), 0, [])
            self._doubt.ends(monotonic())
            insist(self._watchdog, self._producer.commit_transaction, seconds=CALL_SECONDS, patience=SETTLE_SECONDS)
        except KafkaException as exc:
            self._abort(exc)
            with suppress(KafkaException):  # it raises what is fatal, where that is only what came of it
                self._producer.poll(0)  # why it did not go through
            for why in (exc.args[0], *(cause for cause, _ in self._failed)):
                if why.code() in TOO_LARGE:
                    raise TooLargeForKafka(str(why)) from exc
            raise PublisherLost(str(exc)) from exc
        self._marked = dict(lanes.nexts)

    def _of_the_group(self, lanes: Sequence[int]) -> dict[int, int]:
        """Until 2026-11 lanes were offsets of a group that nobody joins: for those that have never been marked."""
        if not lanes:
            return {}
        until, reader = monotonic() + SETTLE_SECONDS, self._settings.offset_reader("read_committed")
        try:
            while True:
                try:
                    found = stable_offsets(reader, self.lanes_topic, lanes)
                except Unsettled as exc:
                    if monotonic() > until:
                        raise PublisherLost(str(exc)) from exc
                    sleep(PAUSE_SECONDS)
                else:
                    return {n: at.offset for n, at in found.items() if at.offset >= 0 and at.owner == self.ledger_id}
        finally:
            reader.close()

    def _produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        number: int,
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, number, headers=headers)
            except BufferError:  # the broker is slower than the ledger
                self._producer.poll(0.05)
            else:
                return

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            found = self._producer.list_topics(topic, timeout=CALL_SECONDS).topics[topic]
            if found.error is not None:  # which says of itself neither which topic it is about nor what to do
                raise KafkaException(KafkaError(found.error.code(), f"{topic}: {found.error.str()}"))
            if not found.partitions:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"{topic} has no partitions"))
            self._partitions[topic] = len(found.partitions)
        return self._partitions[topic]

    def _abort(self, why: KafkaException) -> None:
        """Where nothing answers, that is left to the next publisher."""
        if why.args[0].fatal() or why.args[0].retriable():
            return
        try:
            insist(
                self._watchdog, self._producer.abort_transaction, seconds=CALL_SECONDS, patience=ABORT_PATIENCE_SECONDS
            )
        except KafkaException as exc:
            log.warning("the transaction could not be aborted; the next publisher does it: %s", exc)
