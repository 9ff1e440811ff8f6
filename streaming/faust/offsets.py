"""Questions about offsets: what is committed and stable, where partitions begin and end, which topics there are."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import NamedTuple, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streaming.faust.faults import EngineBroken, TopicMissing, Unanswered, Unsettled
from streaming.faust.settings import slot
from streaming.stage import Stage

log = logging.getLogger(__name__)

Ends: TypeAlias = tuple[int, int]
"""First offset of a partition, and the one after its last record (high watermark, open transactions included)."""

LOST = "the topic was made anew or lost records"
MEND_OF_GROUP = "set the group's offsets to the earliest; do not delete them"
ASK_SECONDS = 10.0
SHOW_SECONDS = 5.0
STABLE_SECONDS, ONE_BY_ONE_SECONDS, LEAST_SECONDS = 0.5, 4.0, 0.05
"""For answers about stable offsets, of all partitions at once, and of each; an offset that is not stable has none."""


def ends(asker: Consumer, topic: str, numbers: Sequence[int], seconds: float = ASK_SECONDS) -> dict[int, Ends]:
    """Where these partitions begin and end. `asker` is `read_uncommitted`. Raises KafkaException."""
    until, found = monotonic() + seconds, {}
    for number in numbers:
        around = asker.get_watermark_offsets(slot(topic, number), max(0.1, until - monotonic()))
        if around is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 confluent-kafka's name for it
        found[number] = around
    return found


class Committed(NamedTuple):
    """A committed offset (-1: none), and the transactional id of the worker that committed it (empty: none)."""

    offset: int
    owner: str


def stable_offsets(
    member: Consumer, topic: str, numbers: Sequence[int], seconds: float = STABLE_SECONDS
) -> dict[int, Committed]:
    """Committed offsets on which no transaction is open.

    Raises Unsettled where the broker has no stable answer yet.
    """
    try:
        answers = member.committed([slot(topic, number) for number in numbers], seconds)
    except KafkaException as error:
        raise Unsettled(str(error.args[0])) from error
    for answer in answers:
        if answer.error is not None:
            raise Unsettled(str(answer.error))
    return {answer.partition: _committed(answer) for answer in answers}


def unstable(member: Consumer, topic: str, numbers: Sequence[int]) -> list[int]:
    """Those of the partitions on whose committed offset a transaction is open, or whose answer did not come in time."""
    found, seconds = [], max(LEAST_SECONDS, ONE_BY_ONE_SECONDS / max(1, len(numbers)))
    for number in numbers:
        try:
            stable_offsets(member, topic, [number], seconds)
        except Unsettled:
            found.append(number)
    return found


def _committed(answer: TopicPartition) -> Committed:
    return Committed(max(-1, answer.offset), answer.metadata or "")


def said_offsets(asker: Consumer, topic: str, numbers: Sequence[int]) -> dict[int, Committed]:
    """Committed offsets, whatever is open on them. Raises KafkaException."""
    answers = asker.committed([slot(topic, number) for number in numbers], ASK_SECONDS)
    for answer in answers:
        if answer.error is not None:
            raise KafkaException(answer.error)
    return {answer.partition: _committed(answer) for answer in answers}


def partition_counts(asker: Consumer | Producer) -> dict[str, int]:
    """How many partitions each topic has. Raises KafkaException."""
    topics = asker.list_topics(timeout=ASK_SECONDS).topics
    return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}


def demand_topics(asker: Consumer | Producer, names: Sequence[str], patience_seconds: float) -> dict[str, int]:
    """Partition counts of topics that must be there. Raises TopicMissing, Unanswered.

    Brokers that do not answer get `patience_seconds`; a topic that was just made gets a few seconds to show.
    """
    until = monotonic() + patience_seconds
    seen_by = monotonic() + min(SHOW_SECONDS, patience_seconds)
    while True:
        try:
            counts = partition_counts(asker)
            missing = [name for name in names if name not in counts]
            if not missing:
                return counts
            why: TopicMissing = TopicMissing(
                f"there is no topic {', '.join(missing)}. Create it first: `baton topics apply`"
            )
            until = min(until, seen_by)
        except KafkaException as error:
            why = Unanswered(f"the brokers do not answer: {error.args[0]}")
        if monotonic() > until:
            raise why
        sleep(0.5)


def demand_partitions(stage: Stage, counts: Mapping[str, int]) -> None:
    """Each partition of the source has one of the changelog, with its state or its mark. Raises TopicMissing.

    `counts`: how many partitions each topic has.
    """
    if stage.changelog is None:
        return
    source, changelog = counts.get(stage.source, 0), counts.get(stage.changelog, 0)
    if changelog == source or (stage.codec is None and changelog > source):
        return
    mend = (
        f"give {stage.changelog} as many: kafka-topics.sh --bootstrap-server HOST:PORT --alter "
        f"--topic {stage.changelog} --partitions {source}"
        if stage.codec is None
        else "they must be equal, for the state of a key lies where its records do"
    )
    raise TopicMissing(f"{stage.changelog} has {changelog} partitions, {stage.source} has {source}: {mend}")


def start_of(topic: str, number: int, committed: int, around: tuple[int, int], mend: str = MEND_OF_GROUP) -> int:
    """Where a partition goes on: at the committed offset, or at its first record where none is committed.

    Raises EngineBroken, with the mend, where the partition ends before the committed offset: it was made anew or cut.
    """
    low, high = around
    if committed > high:
        raise EngineBroken(
            f"{topic}-{number} ends at {high}, but {committed} is committed: {LOST}. Where that is meant, {mend}"
        )
    if 0 <= committed < low:
        log.error("%s-%d: records %d to %d were deleted before they were processed", topic, number, committed, low - 1)
    return max(committed, low)
