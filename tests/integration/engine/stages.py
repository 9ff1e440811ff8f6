"""Stages for the tests: a counter that does as its records tell it, and a store that keeps its state in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from streaming.stage import Batch, Codec, Fenced, Message, Move, Output, RecordError, Stage, TransientError

NUMBERS: Codec[int] = Codec(dumps=lambda n: str(n).encode(), loads=int)


def counting(name: Callable[[str], str], stamp: str | None = None) -> Stage:
    """Counts the records of each key and says the count on `counts`, unless a record's value tells it otherwise."""

    def handler(batch: Batch[int]) -> None:
        for record in batch.records:
            _count(batch, record, name("counts"))

    return Stage(
        "counting",
        name("events"),
        name("counting.failed"),
        handler,
        changelog=name("counting.state"),
        codec=NUMBERS,
        stamp=stamp,
    )


def _count(batch: Batch[int], record: Message, to: str) -> None:
    value, key = record.value(), record.key()
    if value == b"explode":
        raise ZeroDivisionError("the handler has a fault")
    if value == b"refuse":
        raise RecordError("schema_violation", "email: is no address; mend it")
    if value is not None and value.startswith(b"fail"):
        batch.fail(record, "invalid_json", "line 1: is no JSON; mend it", "the trace")
        return
    if key is None:
        raise RecordError("no_key", "the record has no key")
    if value == b"forget":
        batch.state.delete(key)
        return
    if value == b"again":
        batch.count("duplicate")
        return
    total = (batch.state.get(key) or 0) + 1
    batch.state.put(key, total)
    batch.emit(to, key, str(total).encode(), [("origin", value)])


@dataclass
class MemoryUnit:
    totals: dict[bytes, int]
    outbox: list[Output] = field(default_factory=list)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        before = dict(self.totals)
        try:
            yield
        except BaseException:
            self.totals = before
            raise

    def publish(self, outputs: Sequence[Output]) -> None:
        self.outbox += outputs


@dataclass
class MemoryStore:
    """A ledger in memory: totals, positions and outbox change together. `faults` are raised by the next rounds."""

    totals: dict[bytes, int] = field(default_factory=dict)
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    outbox: list[Output] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    def origin(self, topic: str, found: str) -> str:
        return self.origins.setdefault(topic, found)

    def position(self, topic: str, partition: int) -> int | None:
        return self.positions.get((topic, partition))

    @contextmanager
    def round(self, topic: str, moves: Sequence[Move]) -> Iterator[MemoryUnit]:
        if any(self.positions.get((topic, move.partition), 0) != move.start for move in moves):
            raise Fenced(f"{topic} is not at {moves}")
        unit = MemoryUnit(dict(self.totals))
        yield unit
        if self.faults:  # what was done is rolled back: a connection that breaks at the commit
            raise self.faults.pop(0)
        self.totals, self.outbox = unit.totals, self.outbox + unit.outbox
        self.positions |= {(topic, move.partition): move.end for move in moves}


def tallying(name: Callable[[str], str], store: MemoryStore) -> Stage:
    """Counts in a store what `counting` counts in the changelog."""

    def handler(batch: Batch[None]) -> None:
        for record in batch.records:
            key = record.key()
            assert key is not None
            batch.unit.totals[key] = batch.unit.totals.get(key, 0) + 1
            if record.value() == b"explode":
                raise ZeroDivisionError("the handler has a fault")
            batch.emit(name("tallies"), key, str(batch.unit.totals[key]).encode(), lane=record.partition())

    return Stage("tallying", name("events"), name("tallying.failed"), handler, store=store)


class Passing(TransientError):
    """A fault that passes."""
