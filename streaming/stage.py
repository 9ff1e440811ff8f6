"""The contract of a stage: what a handler is given, and what it may do.

A stage names its input topic, where its state is kept, and a handler. The handler gets a `Batch`: records of one
partition, in order; with a store, those of all partitions of a round, each one's in order. It reads and puts state,
emits records, and says of a record that it failed. It does no I/O, reads no clock and draws no random number; what it
needs of the outer world stands in the records. The engine (or the in-memory runner) does the rest: outputs, state and
source offsets of a round take effect together or not at all.

A handler that raises is called again with halves of its batch until the record at fault is alone; that one goes to
`<stage>.failed`, its neighbours are not touched. So a handler may be called more than once for a record; only the last
call counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S")
RawHeaders = Sequence[tuple[str, bytes | None]]

MISSING: Any = object()

MARK = b"claimed"
"""A key that no state may have: under it the engine's own record in a changelog says how far the state goes.

It stays what it is, for changelogs have it."""


class Message(Protocol):
    """A record of the input: what `confluent_kafka.Message` has. `timestamp` is (type, ms since the epoch)."""

    def topic(self) -> str: ...  # noqa: D102 named by librdkafka
    def partition(self) -> int: ...  # noqa: D102
    def offset(self) -> int: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102
    def headers(self) -> RawHeaders | None: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102


class Output(NamedTuple):
    """A record to publish. `partition` None: chosen by the key (see `streaming.partition`).

    `lane`: the source partition with whose records it keeps its order. A stage with a store has to say it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: RawHeaders = ()
    partition: int | None = None
    lane: int | None = None


class Failure(NamedTuple):
    """A record that could not be processed, and why. It is published to `<stage>.failed` with its original bytes."""

    message: Message
    reason: str
    detail: str
    trace: str = ""


class RecordError(Exception):
    """Raised by a handler: this record cannot be processed, and never will be as it is.

    `reason` is a typed code (`schema_violation`, …); `detail` names the field, what is wrong with it and the mend.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class State(Generic[S]):
    """Values by key, one partition's. Writes lie on top of what is committed until the round commits."""

    __slots__ = ("base", "new")

    def __init__(self, base: Mapping[bytes, S] | State[S]) -> None:
        self.base = base
        self.new: dict[bytes, S | None] = {}

    def get(self, key: bytes) -> S | None:
        """The value, or None. Treat it as immutable: an aborted round must find it as it was."""
        hit = self.new.get(key, MISSING)
        return hit if hit is not MISSING else self.base.get(key)

    def put(self, key: bytes, value: S) -> None:
        """Set the value of `key`, any but `MARK`: a record whose handler sets that one fails."""
        self.new[key] = value

    def delete(self, key: bytes) -> None:
        """Forget `key`: a tombstone in the changelog."""
        self.new[key] = None


@dataclass(slots=True)
class Batch(Generic[S]):
    """Records, each source partition's in order, and what the handler makes of them.

    `unit` is the open transaction of the stage's `store` (None where the state is kept in Kafka). `now` is the time of
    the round, in seconds since the epoch: for what depends on the hour of the day, never for the value of a record that
    a replay must write again byte by byte.
    """

    records: Sequence[Message]
    state: State[S]
    now: float = 0.0
    unit: Any = None
    outputs: list[Output] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    def emit(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: RawHeaders = (),
        partition: int | None = None,
        lane: int | None = None,
    ) -> None:
        """Publish a record when the round commits; see `Output`."""
        self.outputs.append(Output(topic, key, value, headers, partition, lane))

    def fail(self, message: Message, reason: str, detail: str, trace: str = "") -> None:
        """Send a record of the batch to `<stage>.failed`; the handler goes on with the next."""
        self.failures.append(Failure(message, reason, detail, trace))

    def count(self, outcome: str, n: int = 1) -> None:
        """Say what became of `n` records, where it was not simply `processed` (`duplicate`, `suppressed`, …).

        Failed ones are counted by the engine; what is left of the batch counts as `processed`.
        """
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + n


Handler = Callable[[Batch[Any]], None]


@dataclass(frozen=True, slots=True)
class Codec(Generic[S]):
    """How values of the state are written to the changelog."""

    dumps: Callable[[S], bytes]
    loads: Callable[[bytes], S]


class Move(NamedTuple):
    """A source partition that goes on from offset `start` to `end`."""

    partition: int
    start: int
    end: int


class Unit(Protocol):
    """One open transaction of a store, for one round."""

    def savepoint(self) -> AbstractContextManager[Any]:
        """A part that can be rolled back alone: the engine calls the handler inside one."""

    def publish(self, outputs: Sequence[Output]) -> None:
        """Write records to the store's outbox: they are published once the transaction is committed, a lane's in order.

        Each of them has a `lane`. Called once, at the end of the round.
        """


class Store(Protocol):
    """State that is kept outside of Kafka and commits with the source offsets (routing's ledger)."""

    def origin(self, topic: str, found: str) -> str:
        """The identity of the topic that the positions are of; `found`, from now on, where there are none.

        Raises `TransientError`.
        """

    def position(self, topic: str, partition: int) -> int | None:
        """Source offset at which `partition` goes on; None where it was never worked on. Raises `TransientError`."""

    def round(self, topic: str, moves: Sequence[Move]) -> AbstractContextManager[Unit]:
        """Open a transaction that moves the positions of `topic`; leaving the block commits it.

        Raises `Fenced` where one is not at its `start`: another worker has been there. Raises `TransientError` for
        faults that pass (connection lost, deadlock, lock timeout): everything is rolled back and may be tried again.
        """


class TransientError(Exception):
    """A fault that passes by itself: the round is tried again with backoff, and no record is blamed."""


class Fenced(Exception):
    """Another worker owns this partition now: nothing was written, and nothing more may be."""


class StateUnreadable(Exception):
    """State that was kept cannot be read back: no record is blamed, and the process starts over, from the changelog."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, declared.

    `source`, `failed` and `outputs` are topics with prefix, all of which must be there as the stage starts. State
    is kept either in Kafka (`changelog` and `codec`), in an outside `store`, or nowhere. A stage without state may
    have a `changelog` all the same (and no `codec`): it says of a partition that somebody has worked on it, should
    the broker forget the offset. `name` stands in metrics, headers and group names. `stamp` is a header that the
    engine adds to every output, with the time of the round: so a handler needs no clock, and values stay pure.
    """

    name: str
    source: str
    failed: str
    handler: Handler
    changelog: str | None = None
    codec: Codec[Any] | None = None
    store: Store | None = None
    stamp: str | None = None
    outputs: tuple[str, ...] = ()
