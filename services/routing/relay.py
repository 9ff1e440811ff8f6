"""The relay: from the ledger's outbox to Kafka, in order a lane, each record exactly once.

Of all relays on a ledger one works at a time: it holds an advisory lock of PostgreSQL. Should two believe that they
do (a connection was cut, a process was frozen), Kafka lets only the younger one commit. A round reads the outbox,
leaves out what Kafka says is published, publishes the rest together with how far each lane is, and drops the rows. A
crash at any point repeats the round and publishes nothing twice, for Kafka's word on a lane comes first where it is
further on than the ledger's. It is done again with half as much: it may have been more than a slow broker takes in the
time that a transaction has. What is alone and too large for its topic is set aside in its place (`aside`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic, time
from typing import Protocol
from zlib import crc32

import psycopg
from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from schemas.topics import failed
from services.routing.aside import STAGE, Aside
from services.routing.background import Background
from services.routing.ledger import Ledger, outbox
from services.routing.ledger.connection import KEEPALIVE
from services.routing.ledger.faults import told_apart
from services.routing.ledger.outbox import Waiting
from services.routing.ledger.store import CHANNEL
from services.routing.observed import observe
from services.routing.outgoing import KafkaPublisher, PublisherLost, TooLargeForKafka
from streaming.client import KafkaAddress
from streaming.faust.pace import Pace
from streaming.stage import TransientError

log = logging.getLogger(__name__)

BATCH, BATCH_BYTES = 2_000, 8 * 1024 * 1024
"""A round is that many records, or the record that reaches that many bytes and those before it."""
IDLE_SECONDS = 2.0
STANDBY_SECONDS = 1.0
DEPOSE_SECONDS = 30.0
"""The same record first for so long says that whoever has the lock does not get on: another one takes its place."""
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


_DEPOSE = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid, objid, objsubid) = (0, %s, 1)
"""


class Publisher(Protocol):
    """Where records go; see `KafkaPublisher`."""

    def open(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def in_doubt(self) -> bool: ...  # noqa: D102
    def positions(self, lanes: Collection[int]) -> dict[int, int]: ...  # noqa: D102
    def publish(self, records: Sequence[Waiting], nexts: Mapping[int, int]) -> None: ...  # noqa: D102


class OutOfStep(Exception):
    """A lane of the outbox has a gap, or Kafka and the ledger contradict each other: a person has to look."""


def kafka_relay(ledger: Ledger, address: KafkaAddress, prefix: str = "") -> Relay:
    """The relay of `ledger` to the brokers at `address`; `prefix` as of the topics."""
    name = f"{prefix}baton-relay"
    make = partial(KafkaPublisher, address, name, prefix)
    return Relay(ledger, name, make, prefix + failed(STAGE))


class Relay(Background):
    """Runs in a thread of its own between `start` and `stop`. `make` makes a publisher for a ledger of that id.

    `failed`: the topic to which a record goes that its own does not take.
    """

    def __init__(
        self, ledger: Ledger, name: str, make: Callable[[str], Publisher], failed: str = failed(STAGE)
    ) -> None:
        super().__init__("relay")
        self.ledger, self.name, self.make = ledger, name, make
        self.leading = False
        self.trouble = ""
        self.well_at = monotonic()
        self._failures = 0
        self._deposed_at = -DEPOSE_SECONDS
        self._first, self._first_since = 0, monotonic()
        self._share = 1
        self._aside = Aside(ledger, failed)

    def run(self) -> None:
        """Relay until `stop`. Faults that pass are waited out; `trouble` says which one it is."""
        while not self._stopping.is_set():
            try:
                with self._lead() as connection:
                    if connection is not None:
                        self._relay(connection)
            except (TransientError, PublisherLost, KafkaException, SQLAlchemyError, psycopg.Error, OutOfStep) as exc:
                self.trouble = f"{type(exc).__name__}: {exc}"
                log.warning("the relay starts anew: %s", self.trouble)
                self._stopping.wait(BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)])
                self._failures += not isinstance(exc, TooLargeForKafka)  # that one is found by halves, and soon

    def _well(self) -> None:
        """A round has succeeded, or another relay has the lock: nothing is wrong here."""
        self.well_at, self.trouble, self._failures = monotonic(), "", 0

    @contextmanager
    def _lead(self) -> Iterator[psycopg.Connection | None]:
        """A connection that holds the lock and listens; waits for the lock, None where it is told to stop before."""
        # By parts, not as a URL: SQLAlchemy writes a space of the query as `+`, which libpq does not read as one.
        args, parts = self.ledger.engine.dialect.create_connect_args(self.ledger.engine.url)
        with psycopg.connect(*args, **{"connect_timeout": 10, **KEEPALIVE, **parts, "autocommit": True}) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            try:
                yield connection if self._locked(connection) else None
            finally:
                self.leading = False

    def _locked(self, connection: psycopg.Connection) -> bool:
        key = crc32(self.name.encode())
        while not self._stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
            if row is not None and row[0]:
                return True
            self._stand_by(connection, key)
            self._stopping.wait(STANDBY_SECONDS)
        return False

    def _stand_by(self, connection: psycopg.Connection, key: int) -> None:
        """Another relay has the lock. Where it does not get on, as one that is frozen, end its connection.

        Kafka refuses what it commits after its successor has begun; so to depose one that is merely slow harms nothing.
        """
        with told_apart(), self.ledger.engine.connect() as reading:
            waits = outbox.backlog(reading)
        if waits.first != self._first:
            self._first, self._first_since = waits.first, monotonic()
        stood = min(waits.oldest_seconds, monotonic() - self._first_since)
        if not waits.first or stood < DEPOSE_SECONDS:
            self._well()
            return
        self.trouble = f"another relay has the lock and publishes nothing for {stood:.0f} s, though records wait"
        if monotonic() - self._deposed_at >= DEPOSE_SECONDS:
            self._deposed_at = monotonic()
            log.warning("%s: its connection is ended", self.trouble)
            connection.execute(_DEPOSE, [key])

    def _relay(self, connection: psycopg.Connection) -> None:
        with told_apart(), self.ledger.engine.begin() as reading:
            ledger_id, noted = outbox.identity(reading), outbox.noted_positions(reading)
        publisher = self.make(ledger_id)
        try:
            publisher.open()
            positions: dict[int, int] = {}
            self.leading = True
            pace = Pace()
            while not self._stopping.wait(pace.left(monotonic())):
                if publisher.in_doubt():
                    log.info("the relay begins with a new producer: an end may have been sent twice")
                    return
                began = monotonic()
                published, cut = self._round(publisher, positions, noted)
                self._well()
                if published and not cut:
                    pace.ended(began, monotonic())
                elif not published:
                    for _ in connection.notifies(timeout=IDLE_SECONDS, stop_after=1):
                        pass
        finally:
            publisher.close()

    def _round(self, publisher: Publisher, positions: dict[int, int], noted: Mapping[int, int]) -> tuple[int, bool]:
        """Publish what waits; gives how many rows were dealt with, and whether others wait behind them.

        `positions`: what is known of lanes.
        """
        with told_apart(), self.ledger.engine.begin() as reading:
            found = outbox.waiting(reading, max(1, BATCH // self._share), BATCH_BYTES // self._share)
        rows, cut = self._aside.apart(found)
        if not rows:
            return 0, False
        unknown = {row.lane for row in rows} - positions.keys()
        said = publisher.positions(unknown)
        # A broker that has just come back may say what was long ago; neither ever says more than is published.
        positions |= {lane: max(noted.get(lane, 0), said.get(lane, 0)) for lane in unknown}
        due, nexts = in_step(rows, positions)
        if due:
            sent = [self._aside.stand_in(one, time()) for one in due]
            try:
                publisher.publish(sent, nexts)
            except PublisherLost as why:
                self._share = min(BATCH, self._share * 2)
                if isinstance(why, TooLargeForKafka):
                    self._seek(due, why)
                raise
            self._share = max(1, self._share // 2)
            positions |= nexts
            observe(sent)
            self._aside.published(due)
        with told_apart(), self.ledger.engine.begin() as dropping:
            outbox.drop(dropping, rows, {row.lane: positions[row.lane] for row in rows})
        return len(rows), cut

    def _seek(self, due: Sequence[Waiting], why: TooLargeForKafka) -> None:
        """One of `due` is too large: set it aside, or, where it is not alone, take half of them next. All wait for it.

        Raises PublisherLost where it cannot be set aside.
        """
        if len(due) > 1:
            self._share = max(self._share, -(-BATCH // (len(due) // 2)))
        else:
            self._aside.refused(due[0], why)


def in_step(rows: Sequence[Waiting], positions: Mapping[int, int]) -> tuple[list[Waiting], dict[int, int]]:
    """Those of `rows` that are not published yet, and where each lane stands after them. Raises OutOfStep."""
    due: list[Waiting] = []
    nexts: dict[int, int] = {}
    for row in rows:
        at = nexts.get(row.lane, positions[row.lane])
        if row.sequence < at:
            continue
        if row.sequence > at:
            raise OutOfStep(f"lane {row.lane} of the outbox goes on at {row.sequence}, {at} was due")
        due.append(row)
        nexts[row.lane] = at + 1
    return due, nexts
