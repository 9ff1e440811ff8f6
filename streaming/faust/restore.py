"""Bring partitions' state up to the changelog's end, a step at a time, with a reader of its own.

The end is the high watermark, open transactions included: everything that a now stable committed offset stands for
lies before it, even where the commit marker has not arrived here yet. The reader, `read_committed`, waits for it.

What is much goes to a spool, where state lies on disk anyway, so that memory has to hold no more than during a run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException

from streaming.faust.assignment import Partition
from streaming.faust.cluster import NO_ID
from streaming.faust.faults import NotRestored
from streaming.faust.offsets import Ends
from streaming.faust.settings import EngineSettings, slot
from streaming.faust.spool import Spool
from streaming.run import merge
from streaming.stage import MARK

log = logging.getLogger(__name__)

STEP_RECORDS = 10_000
WORTH_SPOOLING = 20_000
"""Offsets of one partition; less than that is quickly read and small."""


class Restore:
    """One reading of the changelog for some partitions; `done` once all of them are up to its end."""

    def __init__(
        self,
        settings: EngineSettings,
        changelog: str,
        loads: Callable[[bytes], Any],
        parts: Sequence[Partition],
        ends: dict[int, Ends],
    ) -> None:
        self.loads, self.changelog, self.ends = loads, changelog, ends
        self.stall = settings.settle_timeout_seconds
        self.records = 0
        self.todo: dict[int, Partition] = {}
        for part in parts:
            low, high = ends[part.number]
            below = part.state.below
            if part.position > high or (below is not None and below.low != low):  # made anew or cut under us
                origin = part.state.origin
                part.forget()
                part.state.origin = origin
            part.position = max(part.position, low)
            if part.position < high:
                self.todo[part.number] = part
                lies_on_disk = settings.local_state_seconds > 0 and part.state.origin not in ("", NO_ID)
                if lies_on_disk and high - part.position >= WORTH_SPOOLING:
                    self._spool(part, settings.state_folder(changelog), low)
            elif (spool := _open_spool(part)) is not None:
                spool.seal()  # all of it was read, and the reading given up before it said so
        self.last = monotonic()
        self.reader: Consumer | None = None
        if self.todo:
            self.reader = settings.changelog_reader()
            self.reader.assign([slot(changelog, p.number, p.position) for p in self.todo.values()])

    @property
    def done(self) -> bool:
        """Whether every partition's state is whole."""
        return not self.todo

    @property
    def waited(self) -> float:
        """Seconds since the reader last got on."""
        return monotonic() - self.last

    def step(self, timeout: float) -> None:
        """Read on for up to `timeout` seconds. Raises NotRestored where it stands still for too long."""
        if self.reader is None:
            return
        messages: list[Any] = self.reader.consume(STEP_RECORDS, timeout)
        if messages:
            self._take(messages)
        if self.todo and self.waited > self.stall:
            where = ", ".join(f"{p.number}: {p.position} of {self.ends[p.number][1]}" for p in self.todo.values())
            raise NotRestored(f"{self.changelog} was not read to its end in {self.stall:.0f} s (partition {where})")

    def close(self) -> None:
        """Give the reader up."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def _take(self, messages: Sequence[Any]) -> None:
        """There may be millions of records: what can be done once for many is not done for each.

        What was read is kept before anything says that it was, even where the reader tells of a fault as well.
        """
        records, ends, faults = _told(messages)
        parts, last = dict(self.todo), {}
        spools = {number: spool for number, part in parts.items() if (spool := _open_spool(part)) is not None}
        layers: dict[int, tuple[dict[bytes, Any], bool, Callable[[bytes], Any]]] = {
            number: ({}, False, bytes) if number in spools else (part.state.recent, part.state.flat, self.loads)
            for number, part in parts.items()
        }
        for message in records:
            if (number := message.partition()) in layers:
                layer, flat, loads = layers[number]
                key, value = message.key(), message.value()
                if key == MARK or key is None:
                    pass  # it is no state
                elif value is not None:
                    layer[key] = loads(value)
                elif flat:
                    layer.pop(key, None)
                else:
                    layer[key] = None  # it may be in the file below
                last[number] = message
                self.records += 1
        for number, message in last.items():
            if number in spools:
                self._keep(parts[number], spools[number], layers[number][0])
            self._move(parts[number], message.offset() + 1)
        for number, offset in ends.items():
            if number in parts:
                self._at_end(parts[number], offset)
        if faults:
            raise KafkaException(faults[0])

    def _spool(self, part: Partition, folder: Path, low: int) -> None:
        """Let a state of which nothing is known lie on disk while it is read."""
        if part.state.flat and not part.state.recent:
            try:
                part.state.rest_on(Spool(folder, low), self.loads)
            except OSError as why:
                log.warning("%s-%d is read into memory: %s", self.changelog, part.number, why)

    def _keep(self, part: Partition, spool: Spool, values: Mapping[bytes, bytes | None]) -> None:
        """A disk that is full holds nothing up: memory takes what it does not."""
        try:
            spool.take(values)
        except OSError as why:
            log.warning("%s-%d is read into memory from here on: %s", self.changelog, part.number, why)
            part.state.lift()
            merge(part.state.recent, {k: None if value is None else self.loads(value) for k, value in values.items()})

    def _move(self, part: Partition, position: int) -> None:
        part.state.tail += position - part.position
        part.position, self.last = position, monotonic()

    def _at_end(self, part: Partition, offset: int) -> None:
        """`offset` counts markers and aborted records too, which no message stands for."""
        if offset >= self.ends[part.number][1]:
            self._move(part, max(offset, part.position))
            if (spool := _open_spool(part)) is not None:
                spool.seal()
            del self.todo[part.number]


def _open_spool(part: Partition) -> Spool | None:
    """What a partition's records go to, where they do not stay in memory."""
    below = part.state.below
    return below if isinstance(below, Spool) and not below.sealed else None


def _told(messages: Sequence[Any]) -> tuple[list[Any], dict[int, int], list[KafkaError]]:
    """The records, by partition the offset at which it ends so far, and what cannot be passed over."""
    records, ends, faults = [], dict[int, int](), list[KafkaError]()
    for message in messages:
        if (error := message.error()) is None:
            records.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 that is how confluent-kafka names it
            ends[message.partition()] = message.offset()
        elif not error.retriable():
            faults.append(error)
    return records, ends, faults
