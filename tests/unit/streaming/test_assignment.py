from __future__ import annotations

from collections.abc import Callable
from typing import Any

from confluent_kafka import TopicPartition

from streaming.faust.assignment import Assignment, Partition


class FakeConsumer:
    """A group of one member; the test plays the coordinator."""

    def __init__(self) -> None:
        self.generation = -1
        self.fetching: list[tuple[int, int]] = []
        self.on_assign: Callable[..., None] = lambda *_: None
        self.on_revoke: Callable[..., None] = lambda *_: None

    def consumer_group_metadata(self) -> bytes:
        return b"generation %d" % self.generation

    def subscribe(self, topics: list[str], on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        self.on_assign, self.on_revoke = on_assign, on_revoke

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.fetching = [(p.partition, p.offset) for p in partitions]

    def unassign(self) -> None:
        self.fetching = []

    def give(self, *numbers: int, generation: int) -> None:
        self.on_revoke(self, [])
        self.generation = generation
        self.on_assign(self, [TopicPartition("in", number) for number in numbers])


def joined(*numbers: int, kept: dict[int, Partition] | None = None) -> tuple[FakeConsumer, Assignment]:
    consumer = FakeConsumer()
    assignment = Assignment(consumer, "in", kept or {})  # type: ignore[arg-type]
    assignment.join()
    consumer.give(*numbers, generation=1)
    return consumer, assignment


def run_all(assignment: Assignment, at: int) -> None:
    for part in assignment.waiting():
        part.next, part.running = at, True
    assignment.fetch()


def test_nobody_is_a_member_before_partitions_are_assigned() -> None:
    assignment = Assignment(FakeConsumer(), "in", {})  # type: ignore[arg-type]

    assert not assignment.is_member
    assert assignment.waiting() == []


def test_assigned_partitions_wait_until_their_state_is_there() -> None:
    consumer, assignment = joined(2, 0)

    assert [part.number for part in assignment.waiting()] == [0, 2]
    assert consumer.fetching == []

    run_all(assignment, at=7)

    assert consumer.fetching == [(0, 7), (2, 7)]


def test_the_membership_of_a_generation_stays_what_it_was_until_the_next() -> None:
    consumer, assignment = joined(0)
    consumer.generation = -1  # what librdkafka falls back to when membership is lost, before it says so

    assert assignment.member == b"generation 1"
    assert assignment.is_member


def test_an_assignment_that_was_lost_again_at_once_is_none() -> None:
    consumer, assignment = joined(0)
    consumer.give(0, generation=-1)

    assert not assignment.is_member
    assert assignment.waiting() == []


def test_after_a_revocation_nothing_is_fetched_and_nobody_is_a_member() -> None:
    consumer, assignment = joined(0)
    run_all(assignment, at=3)
    moves = assignment.moves
    consumer.on_revoke(consumer, [])

    assert not assignment.is_member
    assert consumer.fetching == []
    assert assignment.moves > moves


def test_a_partition_that_stays_ours_keeps_its_state_and_one_that_went_loses_it() -> None:
    consumer, assignment = joined(0, 1)
    assignment.parts[0].state.take({b"k": 1})
    assignment.parts[1].state.take({b"l": 1})
    run_all(assignment, at=3)
    consumer.give(0, generation=2)
    consumer.give(0, 1, generation=3)

    assert assignment.parts[0].state.contents() == {b"k": 1}
    assert assignment.parts[0].next == 3
    assert assignment.parts[1].state.contents() == {}
    assert len(assignment.waiting()) == 2
