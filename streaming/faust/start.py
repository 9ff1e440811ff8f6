"""Where partitions go on: the group has offsets, the changelog has marks, and what says more is believed.

Offsets of a group that lie before the changelog's are those of long ago: a lone broker that was killed may answer so
until it has loaded the rest, or with none at all. To believe it would be to do everything again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException

from streaming.faust.assignment import UNKNOWN, Partition
from streaming.faust.cluster import NO_ID
from streaming.faust.faults import OffsetsGone, Unsettled
from streaming.faust.marks import Mark, last_marks
from streaming.faust.offsets import (
    Committed,
    Ends,
    demand_partitions,
    ends,
    partition_counts,
    said_offsets,
    stable_offsets,
)
from streaming.faust.settings import EngineSettings
from streaming.stage import Stage

log = logging.getLogger(__name__)

GONE = (
    "nothing is committed of partitions {}, which were worked on already: a broker says so for a moment after a crash. "
    "Should they be gone, docs/operating.md, 'Offsets that are gone', says what helps"
)


class Start(NamedTuple):
    """What is known of some partitions, by number."""

    committed: dict[int, Committed]
    unmarked: set[int]
    """Their changelog is empty: nobody has worked on them, or it was made later than their offsets."""
    marked: dict[int, Mark]
    """Where the changelog says that they go on."""
    open: frozenset[int] = frozenset()
    """Offsets of these stay open; what the group says of them may be long past."""

    def offset(self, number: int) -> int:
        """Where a partition goes on; -1: at its first record."""
        mark = self.marked.get(number)
        return max(self.committed[number].offset, -1 if mark is None else mark.next)

    def owners(self) -> set[str]:
        """Transactional ids of the workers that committed the partitions last."""
        return {one.owner for one in self.committed.values()} - {""}

    def owners_of_open(self) -> set[str]:
        """The same of those whose offsets stay open, and of those who wrote their marks."""
        said = {self.committed[number].owner for number in self.open}
        return (said | {mark.owner for number, mark in self.marked.items() if number in self.open}) - {""}


class Looking:
    """Asks where the partitions of a stage go on."""

    def __init__(self, stage: Stage, settings: EngineSettings, origin: str) -> None:
        """`origin`: the identity of the source."""
        self.stage, self.settings, self.origin = stage, settings, origin

    def look(self, asker: Consumer, member: Consumer, numbers: Sequence[int]) -> Start:
        """Ask the group first, then the changelog: what a former owner had open has ended by then.

        Raises Unsettled, KafkaException, TopicMissing.
        """
        committed = stable_offsets(member, self.stage.source, numbers)
        return Start(committed, *self._marks(asker, numbers))

    def look_past(self, asker: Consumer, member: Consumer, numbers: Sequence[int]) -> Start:
        """The same where some of the group's offsets do not become stable: these go on by their marks.

        For one who is sure that no former owner has a transaction open any more. Raises as `look`, and Unsettled where
        one of these has no mark.
        """
        committed: dict[int, Committed] = {}
        waits: list[int] = []
        why: Unsettled | None = None
        for number in numbers:
            try:
                committed |= stable_offsets(member, self.stage.source, [number])
            except Unsettled as error:
                why = error
                waits.append(number)
        unmarked, marked = self._marks(asker, numbers)
        if why is not None:
            if not marked.keys() >= set(waits):
                raise why
            committed |= said_offsets(asker, self.stage.source, waits)
        return Start(committed, unmarked, marked, frozenset(waits))

    def _marks(self, asker: Consumer, numbers: Sequence[int]) -> tuple[set[int], dict[int, Mark]]:
        """Which partitions of the changelog are empty, and what the others say of this source."""
        if self.stage.changelog is None:
            return set(), {}
        around = self._ends(self.stage.changelog, asker, numbers)
        unmarked = {number for number, (_, high) in around.items() if high == 0}
        found = last_marks(self.settings, self.stage.changelog, around) if self.origin != NO_ID else {}
        return unmarked, {n: mark for n, mark in found.items() if mark is not None and mark.origin == self.origin}

    def _ends(self, changelog: str, asker: Consumer, numbers: Sequence[int]) -> dict[int, Ends]:
        try:
            return ends(asker, changelog, numbers)
        except KafkaException:
            demand_partitions(self.stage, partition_counts(asker))  # the source may have got more of them
            raise


def demand(stage: Stage, start: Start, parts: Sequence[Partition]) -> None:
    """Where nothing is known of `parts`, nobody may have worked on them yet. Raises OffsetsGone.

    Nothing is written to a partition's changelog before it has an offset.
    """
    gone = []
    for part in parts:
        number, offset = part.number, start.committed[part.number].offset
        began = stage.changelog is not None and number not in start.unmarked
        mark = start.marked.get(number)
        if mark is not None and offset < mark.next:
            log.error("%s-%d: the group says %d, the changelog %d: on at that", stage.source, number, offset, mark.next)
        elif offset < 0 and (part.next != UNKNOWN or began):
            gone.append(number)
        elif offset > 0 and number in start.unmarked and stage.codec is not None:
            log.error("%s-%d: its changelog is empty: it goes on with no state", stage.source, number)
    if gone:
        raise OffsetsGone(GONE.format(sorted(gone)))
