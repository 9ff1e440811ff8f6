"""Where a stage's state and its source offsets are kept: what the engine asks of either place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streaming.faust.assignment import Assignment, Partition
from streaming.run import Result
from streaming.stage import Message

Check = Callable[[Sequence[bool]], None]
"""Given which of a round's records failed, in order; raises BreakerOpened where the round must not be committed."""


@dataclass(slots=True)
class Work:
    """One partition's records of a round, and, once they were worked on, what they came to."""

    part: Partition
    records: Sequence[Message]
    result: Result[Any] | None = None

    @property
    def end(self) -> int:
        """Where the partition goes on after these records."""
        return self.records[-1].offset() + 1

    def flags(self) -> list[bool]:
        """Which of the records failed, in order."""
        if self.result is None or not self.result.failures:
            return [False] * len(self.records)
        failed = {failure.message.offset() for failure in self.result.failures}
        return [record.offset() in failed for record in self.records]


class Keeper(Protocol):
    """Kafka itself (changelog and group offsets in one transaction), or an outside store."""

    def open(self) -> None:
        """Make ready to settle; what a former life of this worker left open is aborted. Raises KafkaException."""

    def prepare(self, assignment: Assignment, waiting: Sequence[Partition]) -> bool:
        """Get on with finding out where `waiting` go on and on what state; whether that is known now.

        Blocks for a part of a second, and longer only while it ends what a dead worker left open. Raises Unsettled and
        TransientError where it has to be asked again.
        """

    def abandon(self) -> None:
        """The assignment changed: what was being prepared is void."""

    def renew(self) -> None:
        """Ask the cluster by a new client: an old one knew stale leaders for good after a restart."""

    def settle(self, work: Sequence[Work], assignment: Assignment, now: float, check: Check) -> None:
        """Process a round, its partitions in the order of their numbers, and make it count, all of it or nothing.

        Then move the partitions on.

        Raises Refused, TooLarge, BreakerOpened, Fenced and TransientError: nothing counts, or it is not known.
        """

    def blame(self, work: Work, assignment: Assignment, now: float, check: Check, detail: str) -> None:
        """Settle a single record, of which it is known that what it leads to is too large, as a failed one."""

    def tend(self, assignment: Assignment, *, leaving: bool = False) -> None:
        """Called between two rounds, and once before the worker leaves in order. Raises SessionLost."""

    def close(self) -> None:
        """Give everything up."""
