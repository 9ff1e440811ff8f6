"""State in an outside store: what a round does, its outbox and its position are one transaction there.

The store's position says where a partition goes on, not the group's offset; a round moves it from where this worker
believes it to be, so a worker that another one has overtaken changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from streaming.faust.assignment import Assignment, Partition
from streaming.faust.cluster import NO_ID, topic_id
from streaming.faust.faults import EngineBroken
from streaming.faust.keeper import Check, Work
from streaming.faust.offsets import ends, start_of
from streaming.faust.settings import EngineSettings, slot
from streaming.faust.watchdog import Watchdog
from streaming.run import Result, run
from streaming.stage import Move, Stage, Store

SHOW_SECONDS = 1.0
MEND = "remove the position of that partition from the store (docs/operating.md, 'Offsets that are gone')"
MEND_OF_ALL = "remove its positions from the store (docs/operating.md, 'Offsets that are gone')"


class StoreKeeper:
    """Keeps one stage's state and positions in its `store`."""

    def __init__(self, stage: Stage, store: Store, settings: EngineSettings, watchdog: Watchdog) -> None:
        self.stage, self.store, self.settings, self.watchdog = stage, store, settings, watchdog
        self.asker = settings.offset_reader("read_uncommitted")
        self._unshown: dict[int, int] = {}
        self._show_due = 0.0

    def open(self) -> None:
        """Nothing to take: the store fences by position."""

    def close(self) -> None:
        """Give the client up."""
        self.asker.close()

    def abandon(self) -> None:
        """Nothing is under way; of partitions that may be another worker's nothing more is said."""
        self._unshown.clear()

    def prepare(self, assignment: Assignment, waiting: Sequence[Partition]) -> bool:  # noqa: ARG002 the protocol's
        """Ask the store where the partitions go on. Raises TransientError, KafkaException, EngineBroken."""
        self._demand_the_same_source()
        around = ends(self.asker, self.stage.source, [part.number for part in waiting])
        for part in waiting:
            with self.watchdog.limit("store.position", self.settings.settle_timeout_seconds):
                known = self.store.position(self.stage.source, part.number)
            at = -1 if known is None else known
            part.next = start_of(self.stage.source, part.number, at, around[part.number], MEND)
            if known is not None:
                self._unshown[part.number] = part.next
        return True

    def _demand_the_same_source(self) -> None:
        """Positions of another topic of that name would pass over what this one holds. Raises EngineBroken."""
        found = topic_id(self.settings, self.stage.source)
        if found != NO_ID:
            with self.watchdog.limit("store.origin", self.settings.settle_timeout_seconds):
                known = self.store.origin(self.stage.source, found)
            if known != found:
                raise EngineBroken(
                    f"{self.stage.source} was made anew: the store's positions are of an older topic of that name. "
                    f"Where that is meant, {MEND_OF_ALL}"
                )

    def tend(self, assignment: Assignment, *, leaving: bool = False) -> None:
        """Tell the group how far we are, for those who watch its lag; nothing depends on it."""
        now = monotonic()
        if self._unshown and assignment.is_member and (leaving or now >= self._show_due):
            offsets = [slot(self.stage.source, number, end) for number, end in self._unshown.items()]
            self._unshown, self._show_due = {}, now + SHOW_SECONDS
            assignment.consumer.commit(offsets=offsets, asynchronous=True)

    def renew(self) -> None:
        """Ask the cluster by a new client."""
        old, self.asker = self.asker, self.settings.offset_reader("read_uncommitted")
        old.close()

    def settle(self, work: Sequence[Work], assignment: Assignment, now: float, check: Check) -> None:  # noqa: ARG002 the protocol's
        """One transaction of the store: what it costs to ask the store does not grow with the number of partitions."""
        moves = [Move(one.part.number, one.part.next, one.end) for one in work]
        with (
            self.watchdog.limit("a transaction of the store", self.settings.settle_timeout_seconds),
            self.store.round(self.stage.source, moves) as unit,
        ):
            records = [record for one in work for record in one.records]
            result = run(self.stage, records, {}, now=now, unit=unit)
            share(result, work)
            check([flag for one in work for flag in one.flags()])
            unit.publish(result.outputs)
        for one in work:
            one.part.next = self._unshown[one.part.number] = one.end

    def blame(self, work: Work, assignment: Assignment, now: float, check: Check, detail: str) -> None:
        """Never asked: the outbox takes records of any size."""
        raise AssertionError(detail, work, assignment, now, check)


def share(result: Result[Any], work: Sequence[Work]) -> None:
    """Give each partition its failures. The rest cannot be told apart by partition: the first has it."""
    for at, one in enumerate(work):
        failures = [failure for failure in result.failures if failure.message.partition() == one.part.number]
        first = at == 0
        one.result = Result(result.outputs if first else [], {}, failures, result.outcomes if first else {})
