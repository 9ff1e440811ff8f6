"""A stage's handler, called over one batch: what comes of it, and which records are at fault. Pure.

A handler that raises is called again with halves of the batch until the record at fault is alone. What a failed call
wrote is thrown away: state lies on an overlay, a store's writes inside a savepoint. For every runner.
"""

from __future__ import annotations

import traceback
from collections.abc import MutableMapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic

from streaming.stage import (
    MARK,
    Batch,
    Failure,
    Fenced,
    Message,
    Output,
    RawHeaders,
    RecordError,
    S,
    Stage,
    State,
    StateUnreadable,
    TransientError,
)

REASON, DETAIL, TRACE = "baton_reason", "baton_detail", "baton_trace"
TOPIC, PARTITION, OFFSET, FAILED_AT = "baton_topic", "baton_partition", "baton_offset", "baton_failed_at"
SET_ASIDE, KEPT = "baton_set_aside", "baton_kept"
"""Of a record that a store's outbox held and its topic did not take: lane and sequence; and the name by which the store
keeps what not even the failed topic takes."""
FAILED_HEADERS = frozenset((REASON, DETAIL, TRACE, TOPIC, PARTITION, OFFSET, FAILED_AT, SET_ASIDE, KEPT))

HANDLER_ERROR, TOO_LARGE, RESERVED_KEY = "handler_error", "too_large", "reserved_key"
PROCESSED, FAILED = "processed", "failed"
DETAIL_LIMIT, TRACE_LIMIT = 2_000, 8_000  # characters: a failed record must still fit where its original fitted

NotTheRecords = (Fenced, TransientError, StateUnreadable, MemoryError)
"""Raised by a handler (or its store), these blame no record: the whole round is given up."""


class Miscounted(Exception):
    """A handler gave more outcomes than it had records."""


class Unplaced(Exception):
    """A handler of a stage with a store emitted a record without a lane."""


@dataclass(slots=True)
class Result(Generic[S]):
    """What a batch came to. `outputs` are ready to publish: stamped, failed records included, in order.

    `writes` are the new values by key (None: forgotten). `outcomes` sum to the number of records.
    """

    outputs: list[Output]
    writes: dict[bytes, S | None]
    failures: list[Failure]
    outcomes: dict[str, int]


def run(stage: Stage, records: Sequence[Message], state: Any, *, now: float, unit: Any = None) -> Result[Any]:
    """Call the handler of `stage` over `records` on top of `state` (not changed).

    The records are of one partition, in order; with a `unit`, of several, one after the other. `now` is the time of the
    round, in seconds since the epoch. Raises `Fenced` and `TransientError` where the handler or its store did; any
    other exception becomes a failed record.
    """
    batch = _attempt(stage, records, state, now, unit)
    at = rfc3339(now)
    outputs = batch.outputs
    if stage.stamp is not None:
        stamp = (stage.stamp, at.encode())
        outputs = [
            Output(topic, key, value, [*headers, stamp], number, lane)
            for topic, key, value, headers, number, lane in outputs
        ]
    if batch.failures:
        outputs = outputs + [failed_record(stage.failed, failure, at) for failure in batch.failures]
        batch.count(FAILED, len(batch.failures))
    if rest := len(records) - sum(batch.outcomes.values()):
        batch.count(PROCESSED, rest)
    return Result(outputs, batch.state.new, batch.failures, batch.outcomes)


def merge(state: MutableMapping[bytes, S], writes: dict[bytes, S | None]) -> None:
    """Take the writes of a committed round over into `state`."""
    for key, value in writes.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def failed_record(topic: str, failure: Failure, at: str) -> Output:
    """The untouched original, with headers that say why it failed and whence it came. `at` is RFC 3339."""
    message = failure.message
    added: list[tuple[str, bytes | None]] = [
        (REASON, failure.reason.encode(errors="replace")),
        (DETAIL, _cut(failure.detail, DETAIL_LIMIT).encode(errors="replace")),
        (TOPIC, message.topic().encode()),
        (PARTITION, str(message.partition()).encode()),
        (OFFSET, str(message.offset()).encode()),
        (FAILED_AT, at.encode()),
        (TRACE, _cut(failure.trace, TRACE_LIMIT).encode(errors="replace")),
    ]
    # Headers of an earlier failure go: a record that was replayed and fails again has one reason, the last.
    kept = [(name, value) for name, value in _headers(message) if name not in FAILED_HEADERS]
    headers: RawHeaders = kept + added
    return Output(topic, message.key(), message.value(), headers, lane=message.partition())


def _headers(message: Message) -> RawHeaders:
    try:
        return message.headers() or ()
    except RecordError:  # they cannot be had, and the reason for the failure is likely to be just that
        return ()


def rfc3339(at: float) -> str:
    """`at` (seconds since the epoch) in UTC, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _attempt(stage: Stage, records: Sequence[Message], base: Any, now: float, unit: Any) -> Batch[Any]:
    batch: Batch[Any] = Batch(records, State(base), now, unit)
    try:
        with unit.savepoint() if unit is not None else nullcontext():
            stage.handler(batch)
            _check(batch)
    except NotTheRecords:
        raise
    except Exception as error:  # noqa: BLE001 whatever a handler raises, it concerns one record and not its neighbours
        batch = Batch(records, State(base), now, unit)
        if len(records) == 1:
            batch.failures.append(_failure(records[0], error))
        else:
            _halve(stage, batch)
    return batch


def _halve(stage: Stage, batch: Batch[Any]) -> None:
    records, middle = batch.records, len(batch.records) // 2
    for half in (records[:middle], records[middle:]):
        part = _attempt(stage, half, batch.state, batch.now, batch.unit)
        batch.state.new.update(part.state.new)
        batch.outputs += part.outputs
        batch.failures += part.failures
        for outcome, n in part.outcomes.items():
            batch.count(outcome, n)


def _check(batch: Batch[Any]) -> None:
    """Each record has one outcome; of several failures of a record the first counts. No state lies under `MARK`."""
    if MARK in batch.state.new:
        name = MARK.decode()
        raise RecordError(
            RESERVED_KEY,
            f"key: its state would lie under {name!r}, where the changelog says how far it goes, and be lost; "
            "give it another key",
        )
    if batch.failures:
        first: dict[tuple[int, int], Failure] = {}
        for failure in batch.failures:
            first.setdefault((failure.message.partition(), failure.message.offset()), failure)
        batch.failures = list(first.values())
    if batch.failures or batch.outcomes:
        counted = len(batch.failures) + sum(batch.outcomes.values())
        if counted > len(batch.records):
            raise Miscounted(f"the handler gave {counted} outcomes for {len(batch.records)} records")
    if batch.unit is not None and any(output.lane is None for output in batch.outputs):
        raise Unplaced("a record that goes through a store's outbox needs the lane of the record that it follows")


def _failure(message: Message, error: Exception) -> Failure:
    if isinstance(error, RecordError):
        return Failure(message, error.reason, error.detail)
    trace = "".join(traceback.format_exception(error))
    return Failure(message, HANDLER_ERROR, f"{type(error).__name__}: {error}", trace)


def _cut(text: str, limit: int) -> str:
    """The end of a trace is where the fault is; of anything longer than `limit` the middle goes."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 4]}\n…\n{text[-(limit - limit // 4) :]}"
