"""Runs stages without a broker, on the same contract: for tests, for simulating changed rules, for looking around.

Nothing here depends on a clock or on chance. What would outlive a process stands in a `Log`; a runner on the same log
goes on where the last one was committed, with the state that its changelog tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from streaming.breaker import Breaker, MoreThanMayFail
from streaming.memory_log import Log, MemoryRecord
from streaming.run import Result, merge, run
from streaming.stage import Fenced, Move, Output, RawHeaders, Stage, TransientError

__all__ = ["Crashed", "Log", "MemoryRecord", "MemoryRunner"]


class Crashed(Exception):
    """The runner ended where it was told to; go on with `restart`."""


class _Stopped(Exception):
    """Leaves a store's transaction, so that nothing of the round stays: the breaker has opened."""


class _Overtaken(Exception):
    """Another worker has moved the position of the store meanwhile."""


class MemoryRunner:
    """Stages that feed one another through topics.

    `now` is the time in seconds since the epoch, moved on by `run`. `breaker` makes one for each stage; without it no
    stage ever stops. A round takes up to `max_records` of one partition.
    """

    def __init__(
        self,
        stages: Iterable[Stage],
        partitions: int = 4,
        *,
        now: float = 0.0,
        breaker: Callable[[], Breaker] | None = None,
        max_records: int = 4000,
        log: Log | None = None,
    ) -> None:
        self.stages = {stage.name: stage for stage in stages}
        self.log = log if log is not None else Log(partitions)
        self.now, self.max_records = now, max_records
        self.breakers = {name: breaker() for name in self.stages} if breaker is not None else {}
        self.outcomes: dict[str, dict[str, int]] = {name: {} for name in self.stages}
        self.crash_at: Literal["before_commit", "after_commit"] | None = None
        self._state: dict[tuple[str, int], dict[bytes, Any]] = {}

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: RawHeaders = (),
        timestamp_ms: int | None = None,
        partition: int | None = None,
    ) -> MemoryRecord:
        """Publish a record from outside; its time is `now` unless told."""
        at = round(self.now * 1000) if timestamp_ms is None else timestamp_ms
        return self.log.append(Output(topic, key, value, headers, partition), at)

    def publish(self, outputs: Iterable[Output]) -> None:
        """Publish what a store has in its outbox: the relay's work, where there is no relay."""
        for output in outputs:
            self.log.append(output, round(self.now * 1000))

    def run(self, now: float | None = None) -> int:
        """Work until no stage has input that it may work on; gives the number of records committed.

        Raises TransientError and Fenced where the store of a stage raised them and trying again did not help.
        """
        self.now = self.now if now is None else now
        done = 0
        while progress := sum(
            self._round(stage, partition) for stage in self.stages.values() for partition in range(self.log.partitions)
        ):
            done += progress
        return done

    def records(self, topic: str) -> list[MemoryRecord]:
        """Everything that was published to a topic, in the order of publication."""
        return list(self.log.topics.get(topic, ()))

    def state(self, stage: str) -> dict[bytes, Any]:
        """State of a stage that keeps it in Kafka, all partitions together."""
        found: dict[bytes, Any] = {}
        for partition in range(self.log.partitions):
            found |= self._state_of(self.stages[stage], partition)
        return found

    def restart(self) -> None:
        """Forget what only a process knows, as a crash does: state is read again from the changelog."""
        self._state.clear()

    def _round(self, stage: Stage, partition: int, most: int | None = None) -> int:
        breaker = self.breakers.get(stage.name)
        start = self._position(stage, partition)
        records = self.log.parts.get((stage.source, partition), [])[start : start + (most or self.max_records)]
        if not records or (breaker is not None and not breaker.may_try(self.now)):
            return 0
        try:
            result = self._with_store(stage, partition, records) if stage.store else self._plain(stage, records)
        except _Stopped:
            return 0
        except MoreThanMayFail:
            return self._round(stage, partition, len(records) // 2)
        except _Overtaken:
            return self._round(stage, partition)
        for outcome, n in result.outcomes.items():
            self.outcomes[stage.name][outcome] = self.outcomes[stage.name].get(outcome, 0) + n
        if breaker is not None:
            breaker.note(_failed(records, result), self.now)
        return len(records)

    def _plain(self, stage: Stage, records: Sequence[MemoryRecord]) -> Result[Any]:
        partition = records[0].partition()
        state = self._state_of(stage, partition)
        result = run(stage, records, state, now=self.now)
        changelog = _changelog(stage, partition, result)
        self._judge(stage, records, result)
        self._maybe_crash("before_commit")
        for output in (*result.outputs, *changelog):
            self.log.append(output, round(self.now * 1000), partition)
        self.log.committed[stage.name, partition] = records[-1].offset() + 1
        self._maybe_crash("after_commit")
        merge(state, result.writes)
        return result

    def _with_store(self, stage: Stage, partition: int, records: Sequence[MemoryRecord], tries: int = 5) -> Result[Any]:
        assert stage.store is not None
        start, end = records[0].offset(), records[-1].offset() + 1
        try:
            with stage.store.round(stage.source, [Move(partition, start, end)]) as unit:
                result = run(stage, records, {}, now=self.now, unit=unit)
                self._judge(stage, records, result)
                unit.publish(result.outputs)
                self._maybe_crash("before_commit")
        except TransientError:
            if tries == 1:
                raise
            return self._with_store(stage, partition, records, tries - 1)
        except Fenced:
            if self._position(stage, partition) == start:
                raise
            raise _Overtaken from None
        self._maybe_crash("after_commit")
        return result

    def _judge(self, stage: Stage, records: Sequence[MemoryRecord], result: Result[Any]) -> None:
        breaker, failed = self.breakers.get(stage.name), _failed(records, result)
        if breaker is not None and breaker.would_open(failed):
            if breaker.passes_in_part(failed):
                raise MoreThanMayFail
            breaker.note(failed, self.now)
            raise _Stopped

    def _maybe_crash(self, where: str) -> None:
        if self.crash_at == where:
            self.crash_at = None
            raise Crashed(where)

    def _position(self, stage: Stage, partition: int) -> int:
        if stage.store is not None:
            return stage.store.position(stage.source, partition) or 0
        return self.log.committed.get((stage.name, partition), 0)

    def _state_of(self, stage: Stage, partition: int) -> dict[bytes, Any]:
        """State of a partition, read from its changelog where it is not in memory."""
        state = self._state.get((stage.name, partition))
        if state is None:
            state = self._state[stage.name, partition] = {}
            if stage.changelog is not None and stage.codec is not None:
                for record in self.log.parts.get((stage.changelog, partition), ()):
                    value, key = record.value(), record.key() or b""
                    merge(state, {key: None if value is None else stage.codec.loads(value)})
        return state


def _failed(records: Sequence[MemoryRecord], result: Result[Any]) -> list[bool]:
    offsets = {failure.message.offset() for failure in result.failures}
    return [record.offset() in offsets for record in records]


def _changelog(stage: Stage, partition: int, result: Result[Any]) -> list[Output]:
    """The writes of a round as records; they stand in the partition that their source stands in."""
    if stage.changelog is None or stage.codec is None:
        return []
    dumps = stage.codec.dumps
    return [
        Output(stage.changelog, key, None if value is None else dumps(value), partition=partition)
        for key, value in result.writes.items()
    ]
