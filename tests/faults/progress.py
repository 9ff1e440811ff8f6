"""Watches how far the stages are, from outside: committed offsets, and the ledger's positions."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

EVERY_SECONDS = 0.2
ENDS_EVERY = 3  # to ask for the ends of topics costs more, and they need not be as exact
ASK_SECONDS = 1.0
STUCK_SECONDS = 30.0
"""A look that takes so long never ends: librdkafka may hang in any call once its broker was away."""
MARKERS = 8
"""Offsets at the end of a partition that may be ends of transactions and no records."""


@dataclass(frozen=True)
class Reading:
    """Positions by partition, asked for at `since`, answered at `at` (monotonic seconds)."""

    since: float
    at: float
    positions: Mapping[int, int]


class Recovered(NamedTuple):
    """Whether work was left in a partition when a fault struck, and when the next was done (None: not yet)."""

    had_work: bool
    at: float | None = None


class Watch:
    """Looks at one stage again and again, in a thread; `readings` has the answers of the last minutes."""

    def __init__(self, stage: str, look: Look) -> None:
        self.stage, self.look = stage, look
        self.readings: deque[Reading] = deque(maxlen=3_000)
        self.positions: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.moved: dict[int, float] = {}
        self.replaced = 0
        self._stop = threading.Event()
        self._begin()

    def _begin(self) -> None:
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=[self.look], name=f"watch {self.stage}", daemon=True)
        self._thread.start()

    def _see(self) -> None:
        """Replace a look that is stuck; whoever asks for what was seen sees to that."""
        if time.monotonic() - self._beat > STUCK_SECONDS:
            self.look, self.replaced = self.look.anew(), self.replaced + 1
            self._begin()

    def done(self) -> int:
        self._see()
        return sum(self.positions.values())

    def behind(self) -> dict[int, int]:
        """Records left to do, by partition, as far as known."""
        self._see()
        return {n: end - self.positions.get(n, 0) for n, end in self.ends.items()}

    def still(self, seconds: float) -> list[int]:
        """Partitions in which more than ends of transactions is left to do, and that have not moved for so long."""
        now = time.monotonic()
        return [n for n, left in self.behind().items() if left > MARKERS and now - self.moved.get(n, now) > seconds]

    def recovered(self, partition: int, struck: float, end: int) -> Recovered:
        """When the partition went on after `struck`; `end` is where its topic ended then."""
        self._see()
        before: int | None = None
        for reading in list(self.readings):
            if reading.since <= struck or partition not in reading.positions:
                continue
            at = reading.positions[partition]
            if before is None:
                if at >= end:
                    return Recovered(had_work=False)
                before = at
            elif at > before:
                return Recovered(had_work=True, at=reading.at)
        return Recovered(had_work=True)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        self.look.close()

    def _run(self, look: Look) -> None:
        for number in itertools.count():
            if self._stop.wait(EVERY_SECONDS) or look is not self.look:
                return
            since = self._beat = time.monotonic()
            with suppress(KafkaException, psycopg.Error):
                positions = look.positions()
                if look is not self.look:
                    return
                # A broker may say for a while what was long ago; whoever does all again since then has not moved on.
                further = {n: at for n, at in positions.items() if at > self.positions.get(n, -1)}
                self.moved |= dict.fromkeys(further, since)
                self.positions = self.positions | further
                self.readings.append(Reading(since, time.monotonic(), positions))
                if number % ENDS_EVERY == 0:
                    self.ends = look.ends()


class Look:
    """Committed offsets of a group, only those on which no transaction is open, and the ends of its topic."""

    def __init__(self, bootstrap: str, group: str, topic: str, partitions: int) -> None:
        self.bootstrap, self.group, self.topic, self.partitions = bootstrap, group, topic, partitions
        self._client: Consumer | None = None

    def anew(self) -> Look:
        """The same, with clients of its own."""
        return Look(self.bootstrap, self.group, self.topic, self.partitions)

    def positions(self) -> dict[int, int]:
        try:
            return self._committed(range(self.partitions))
        except KafkaException:
            pass
        good: dict[int, int] = {}  # an offset on which a transaction is open holds up the answer for all of them
        for number in range(self.partitions):
            with suppress(KafkaException):
                good |= self._committed([number])
        if not good:
            self.close()
        return good

    def _committed(self, numbers: Iterable[int]) -> dict[int, int]:
        found = self._ask().committed([TopicPartition(self.topic, n) for n in numbers], ASK_SECONDS)
        return {at.partition: max(0, at.offset) for at in found if at.error is None}

    def ends(self) -> dict[int, int]:
        client = self._ask()
        try:
            return {
                n: client.get_watermark_offsets(TopicPartition(self.topic, n), ASK_SECONDS, cached=False)[1]
                for n in range(self.partitions)
            }
        except KafkaException:
            self.close()
            raise

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self) -> Consumer:
        if self._client is None:
            self._client = Consumer(
                {
                    "bootstrap.servers": self.bootstrap,
                    "group.id": self.group,
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                    "reconnect.backoff.max.ms": 500,
                    "log_level": 0,
                }
            )
        return self._client


class LookAtLedger(Look):
    """Positions that a ledger has, which say more than the group's offsets."""

    def __init__(self, bootstrap: str, group: str, topic: str, partitions: int, database: str) -> None:
        super().__init__(bootstrap, group, topic, partitions)
        self.database = database
        self._connection: psycopg.Connection | None = None

    def anew(self) -> LookAtLedger:
        """The same, with clients of its own."""
        return LookAtLedger(self.bootstrap, self.group, self.topic, self.partitions, self.database)

    def positions(self) -> dict[int, int]:
        try:
            if self._connection is None:
                limit = "-c statement_timeout=2000"
                self._connection = psycopg.connect(self.database, autocommit=True, connect_timeout=3, options=limit)
            rows = self._connection.execute("SELECT partition, next FROM positions WHERE topic = %s", [self.topic])
            return dict.fromkeys(range(self.partitions), 0) | dict(rows.fetchall())
        except psycopg.Error:
            self._connection = None
            raise
