"""What an engine is told, and the clients that it makes of that."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from streaming.breaker import Breaker
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.doubt import Doubt
from streaming.faust.pace import MOST_SECONDS

RETRY_BACKOFF_MS = 10
"""The next transaction is refused while the markers of the last are written; librdkafka's 100 shows in p95."""

FETCHED_KBYTES, FETCH_BYTES, PRODUCED_KBYTES = 32_768, 16 * 1024 * 1024, 262_144
"""What bounds a worker's memory beside its state (docs/operating.md): records that were fetched and not taken, what one
answer of a broker may add to them, and what a round has published and the broker has not acknowledged."""

FETCHED_ROUNDS = 3
"""What was fetched waits in one line, whatever partition it is of: where one has a large backlog, a new record of
another waits for so many rounds of it, and for an answer of the broker or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Settings of a stage's engine.

    `instance` is a name that stays the same when a worker is started again, and that no other living worker has;
    without one a name is made up for each start. With `static_instance` it is the group's static member, too: a broker
    then hands the partitions of a dead worker to its successor of that name, and to nobody else.
    """

    bootstrap: str
    group: str
    instance: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    static_instance: bool = False
    librdkafka: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path = Path(".baton")

    max_records: int = 4_000
    """Records of a round, at most."""
    linger_seconds: float = 0.005
    """How long a round gathers records after its first, at least."""
    pause_seconds: float = MOST_SECONDS
    """And until as much time has passed since the last round as that one took, this at most; see `Pace`."""
    idle_seconds: float = 0.5
    """How long an idle engine waits for a record before it looks around."""
    rest_seconds: float = 0.0
    """How long an idle engine fetches nothing, again and again; for brokers that hold no fetch. 0: it always does."""
    fetch_wait_seconds: float = 0.1
    """How long the broker may hold a fetch that finds nothing."""

    session_timeout_seconds: float = 10.0
    """A worker silent for so long loses its partitions."""
    poll_interval_seconds: float | None = None
    """A worker that settles nothing for so long leaves the group; by default 30 s more than a round may take."""
    transaction_timeout_seconds: float = 10.0
    """The broker aborts what a dead worker left open after so long, plus up to 10 s until it looks."""
    fence_after_seconds: float = 1.5
    """A successor that waits longer than this for a dead worker's transaction aborts it."""
    settle_timeout_seconds: float = 90.0
    """A round that is not settled by then ends the process."""
    exit_timeout_seconds: float = 20.0
    """A stop that is not done by then ends the process."""

    local_state_seconds: float = 300.0
    """How often state is written to `data_dir`, where enough has changed; 0: never, and what lies there is not read."""
    local_state_records: int = 10_000
    """Fewer new records than these are not worth a file: they are read again in no time."""

    breaker_consecutive: int = 100
    breaker_share: float = 0.5
    breaker_window: int = 1_000
    breaker_resume_seconds: float = 60.0

    @property
    def transactional_id(self) -> str:
        """The producer's name, by which a successor aborts what it left open; it stands in the metadata of offsets."""
        return f"{self.group}-{self.instance}"

    def breaker(self) -> Breaker:
        """A closed breaker."""
        return Breaker(self.breaker_consecutive, self.breaker_share, self.breaker_window, self.breaker_resume_seconds)

    def client(self) -> dict[str, Any]:
        """What every client is told."""
        return self.address().librdkafka_config()

    def state_folder(self, changelog: str) -> Path:
        """Where state of that changelog lies on this machine."""
        return self.data_dir / "state" / changelog

    def address(self) -> KafkaAddress:
        """Where the brokers are, and how to get in."""
        return KafkaAddress.parse(self.bootstrap, self.librdkafka)

    def group_consumer(self) -> Consumer:
        """The consumer of a member: nothing is committed behind our back, no offset is guessed."""
        poll_interval = self.poll_interval_seconds or self.settle_timeout_seconds + 30
        session = int(self.session_timeout_seconds * 1000)
        return Consumer(
            {
                **self.client(),
                "client.id": f"{self.group}-{self.instance}",
                "group.id": self.group,
                **({"group.instance.id": self.instance} if self.static_instance else {}),
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": session,
                "heartbeat.interval.ms": max(200, min(3_000, session // 6)),
                "max.poll.interval.ms": max(session, int(poll_interval * 1000)),
                "fetch.wait.max.ms": max(1, int(self.fetch_wait_seconds * 1000)),
                "fetch.queue.backoff.ms": 10,
                "queued.min.messages": min(100_000, FETCHED_ROUNDS * self.max_records),
                "queued.max.messages.kbytes": FETCHED_KBYTES,
                "fetch.max.bytes": FETCH_BYTES,
            }
        )

    def offset_reader(self, isolation: str) -> Consumer:
        """A client that asks for offsets, those of the group among them, and is no member."""
        return Consumer(
            {**self.client(), "group.id": self.group, "enable.auto.commit": False, "isolation.level": isolation}
        )

    def changelog_reader(self) -> Consumer:
        """A client that reads partitions to their end; `read_committed`."""
        return Consumer(
            {
                **self.client(),
                "group.id": f"{self.group}-restore",  # demanded by librdkafka, never joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                "fetch.queue.backoff.ms": 5,  # by default a reader that cannot keep up is given nothing for a second
                "queued.min.messages": 100_000,
                "queued.max.messages.kbytes": FETCHED_KBYTES,
                "fetch.max.bytes": FETCH_BYTES,
                "check.crcs": True,
            }
        )

    def transactional_producer(
        self,
        transactional_id: str,
        on_delivery: Callable[[Any, Any], None] | None = None,
        logger: Any = None,
    ) -> Producer:
        """A producer of that name, not initialised. `on_delivery` hears of failures alone, `logger` at each `poll`."""
        return Producer(
            {
                **self.client(),
                "client.id": transactional_id,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(self.transaction_timeout_seconds * 1000),
                "linger.ms": 0,
                "max.in.flight": IN_FLIGHT,
                "batch.size": 900_000,
                "message.max.bytes": 8_000_000,  # what a topic takes is the broker's word, not the client's
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": PRODUCED_KBYTES,
                "retry.backoff.ms": RETRY_BACKOFF_MS,
                "retry.backoff.max.ms": 100,
                "delivery.report.only.error": True,
                **({"on_delivery": on_delivery} if on_delivery is not None else {}),
                **({"logger": logger, **Doubt.LOGS} if logger is not None else {}),
            }
        )


def slot(topic: str, partition: int, offset: int | None = None) -> TopicPartition:
    """A partition, and a place in it, in the words of confluent-kafka."""
    return TopicPartition(topic, partition) if offset is None else TopicPartition(topic, partition, offset)
