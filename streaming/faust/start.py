"""Where partitions go on: the group has offsets, the changelog has marks, and what says more is believed.

Offsets of a group that lie before the changelog's are those of long ago: a lone broker that was killed may answer so
until it has loaded the rest, or with none at all. To believe it would be to do everything again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from streaming.faust.assignment import UNKNOWN, Partition
from streaming.faust.faults import OffsetsGone
from streaming.faust.marks import NO_ID, last_marks
from streaming.faust.offsets import Committed, Ends, demand_partitions, ends, partition_counts, stable_offsets
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
    marked: dict[int, int]
    """Where the changelog says that they go on."""

    def offset(self, number: int) -> int:
        """Where a partition goes on; -1: at its first record."""
        return max(self.committed[number].offset, self.marked.get(number, -1))


def look(
    stage: Stage, settings: EngineSettings, admin: AdminClient, member: Consumer, origin: str, numbers: Sequence[int]
) -> Start:
    """Ask the group first, then the changelog: what a former owner had open has ended by then.

    `origin`: the identity of the source. Raises Unsettled, KafkaException, TopicMissing.
    """
    committed = stable_offsets(member, stage.source, numbers)
    if stage.changelog is None:
        return Start(committed, set(), {})
    around = _ends(stage, stage.changelog, admin, numbers)
    unmarked = {number for number, (_, high) in around.items() if high == 0}
    found = last_marks(settings, stage.changelog, around) if origin != NO_ID else {}
    ours = {n: mark.next for n, mark in found.items() if mark is not None and mark.origin == origin}
    return Start(committed, unmarked, ours)


def demand(stage: Stage, start: Start, parts: Sequence[Partition]) -> None:
    """Where nothing is known of `parts`, nobody may have worked on them yet. Raises OffsetsGone.

    Nothing is written to a partition's changelog before it has an offset.
    """
    gone = []
    for part in parts:
        number, offset = part.number, start.committed[part.number].offset
        began = stage.changelog is not None and number not in start.unmarked
        if offset < start.marked.get(number, -1):
            marked = start.marked[number]
            log.error("%s-%d: the group says %d, the changelog %d: on at that", stage.source, number, offset, marked)
        elif offset < 0 and (part.next != UNKNOWN or began):
            gone.append(number)
        elif offset > 0 and number in start.unmarked and stage.codec is not None:
            log.error("%s-%d: its changelog is empty: it goes on with no state", stage.source, number)
    if gone:
        raise OffsetsGone(GONE.format(sorted(gone)))


def _ends(stage: Stage, changelog: str, admin: AdminClient, numbers: Sequence[int]) -> dict[int, Ends]:
    try:
        return ends(admin, changelog, numbers)
    except KafkaException:
        demand_partitions(stage, partition_counts(admin))  # the source may have got more of them
        raise
