"""Makes events safe: what `publish` returns from is in Kafka, acknowledged by all in-sync replicas."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from streaming.client import IN_FLIGHT
from streaming.faust.calls import let_go
from streaming.faust.watchdog import work_or_end
from streaming.silence import Silence

log = structlog.get_logger(__name__)


POLL_SECONDS = 0.2  # what comes ends the wait
SILENT_SECONDS = 15.0
"""A client that has delivered nothing for so long, though it had to, is followed by another one (`Silence`)."""
LINGER_MS = 10
"""librdkafka sends a request for each partition, one at a time: with 2 ms each event was one, and as many fetches."""


class Outgoing(NamedTuple):
    """A record to publish."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]] = ()


class Publisher(Protocol):
    """Where the collector puts events."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return once all are safe. Raises `Overloaded` before any was sent, `NotSafe` if some may not be."""

    async def unready(self) -> str:
        """Why nothing can be published now; empty where it can."""

    def unwell(self) -> str:
        """Why the process ought to be started again; empty where it need not be."""

    async def close(self) -> None:
        """Finish what is under way, and end."""


class Overloaded(Exception):
    """Too much is under way: nothing of this was sent."""


class NotSafe(Exception):
    """Kafka did not take all of it in time. Some of it may arrive yet; a repeat is dropped by its `event_id`."""


class MemoryPublisher:
    """Keeps records in a list: for tests, and for trying a form without a broker. `fault` is raised if set."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.fault: Exception | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Keep them, or raise."""
        if self.fault is not None:
            raise self.fault
        self.records.extend(records)

    async def unready(self) -> str:
        """Ready unless a fault is set."""
        return str(self.fault) if self.fault is not None else ""

    def unwell(self) -> str:
        """Always well."""
        return ""

    async def close(self) -> None:
        """Nothing to end."""


class _Pending:
    """One call of `publish`: how many of its records are still under way. Touched by the poll thread only."""

    __slots__ = ("done", "fault", "left")

    def __init__(self, left: int, done: asyncio.Future[None]) -> None:
        self.left, self.done = left, done
        self.fault: KafkaError | None = None


class KafkaPublisher:
    """An idempotent producer, polled by a thread of its own.

    `config` are librdkafka's settings of the brokers. `deadline` (seconds): longer does no request wait. `most` bounds
    the records under way; beyond it `Overloaded` is raised, nothing is piled up. Make it within a running event loop.
    `silent` (seconds): where nothing was taken for so long, another client goes on.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        deadline: float = 5.0,
        most: int = 20_000,
        silent: float = SILENT_SECONDS,
    ) -> None:
        self._deadline, self._most, self._under_way = deadline, most, 0
        self._silence = Silence(silent)
        self._loop = asyncio.get_running_loop()
        self._finished: list[_Pending] = []
        self._fatal = ""
        self._stopping = threading.Event()
        self._config = {
            "linger.ms": LINGER_MS,
            "client.id": "baton-collector",
            **config,
            "enable.idempotence": True,
            "max.in.flight": IN_FLIGHT,
            "acks": "all",
            "partitioner": "murmur2_random",
            "delivery.timeout.ms": int(deadline * 1000),
            "queue.buffering.max.messages": most * 2,
            "error_cb": self._note_error,
        }
        self._producer = self._made()
        self._thread = threading.Thread(target=self._main, name="collector-delivery", daemon=True)
        self._thread.start()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return once all records are acknowledged."""
        if not records:
            return
        if self._under_way + len(records) > self._most:
            raise Overloaded(f"{self._under_way} records are under way")
        pending = _Pending(len(records), self._loop.create_future())
        self._under_way += len(records)
        pending.done.add_done_callback(lambda _: self._settle(len(records)))
        delivered = partial(self._delivered, pending)
        for at, record in enumerate(records):
            try:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers),
                    on_delivery=delivered,
                )
            except BufferError:
                pending.done.cancel()
                raise (NotSafe if at else Overloaded)("the producer's queue is full") from None
            except KafkaException as error:
                pending.done.cancel()
                raise NotSafe(f"the producer refused a record: {error.args[0].name()}") from None
        try:
            async with asyncio.timeout(self._deadline + 1):
                await pending.done
        except TimeoutError:
            raise NotSafe(f"no word from Kafka within {self._deadline:g} seconds") from None

    async def unready(self) -> str:
        """Ask the brokers for a sign of life, for a second at most."""
        try:
            await asyncio.to_thread(self._producer.list_topics, timeout=1.0)
        except KafkaException as error:
            return f"Kafka does not answer: {error.args[0].name()}"
        return ""

    def unwell(self) -> str:
        """A producer that librdkafka has given up, as long as no new one takes its place."""
        return self._fatal

    async def close(self) -> None:
        """End the thread, and send what is queued, for as long as the deadline."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, self._deadline)
        await asyncio.to_thread(self._producer.flush, self._deadline)
        _resolve(self._finished)

    def _main(self) -> None:
        work_or_end("delivery", self._poll)  # nobody would hear of what is delivered any more

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self._producer.poll(POLL_SECONDS)
            except (KafkaException, SystemError) as error:
                # So a fatal error comes to light, not by `error_cb`; where a callback is due, inside it, as the latter.
                self._note_fatal(error)
            if self._fatal or self._fell_silent():
                self._renew()
            if self._finished:
                finished, self._finished = self._finished, []
                self._loop.call_soon_threadsafe(_resolve, finished)

    def _made(self) -> Producer:
        return Producer(dict(self._config), logger=logging.getLogger("librdkafka"))

    def _renew(self) -> None:
        """Put a new producer in the place of one that takes nothing more, or sends nothing.

        Librdkafka gives one up where a broker no longer knows the records that it acknowledged. What the old one had
        under way is not safe; whoever sent it is told so, and sends it again.
        """
        ended = [self._producer]
        self._producer = self._made()
        with suppress(KafkaException, SystemError):
            ended[0].purge()
            ended[0].flush(self._deadline)
        let_go(ended)
        self._fatal, self._silence = "", Silence(self._silence.seconds)

    def _fell_silent(self) -> bool:
        silent = self._silence.too_long
        if silent:
            log.warning("kafka client fell silent: another one goes on", seconds=self._silence.seconds)
        return silent

    def _delivered(self, pending: _Pending, error: KafkaError | None, _: Any) -> None:
        pending.left -= 1
        pending.fault = pending.fault or error
        self._silence.note(error, monotonic())
        if pending.left == 0:
            self._finished.append(pending)

    def _note_error(self, error: KafkaError) -> None:
        log.warning("kafka client", error=error.name(), fatal=error.fatal())
        if error.fatal():
            self._fatal = f"the producer ended: {error.name()}"

    def _note_fatal(self, error: Exception) -> None:
        log.warning("kafka client", error=str(error.__cause__ or error), fatal=True)
        self._fatal = f"the producer ended: {type(error).__name__}"

    def _settle(self, records: int) -> None:
        self._under_way -= records


def _resolve(finished: list[_Pending]) -> None:
    for pending in finished:
        if pending.done.done():
            continue
        if pending.fault is None:
            pending.done.set_result(None)
        else:
            pending.done.set_exception(NotSafe(f"Kafka refused a record: {pending.fault.name()}"))
