from __future__ import annotations

import pytest

from streaming.admin import KafkaUnreachable
from streaming.topics import Change, Existing, TopicSpec, apply, changes

COMPACTED = TopicSpec("leads.scored", 8, {"cleanup.policy": "compact,delete", "retention.ms": "1000"})


def test_a_missing_topic_is_to_be_created() -> None:
    assert changes([COMPACTED], {}) == [
        Change("leads.scored", "created", "8 partitions, cleanup.policy=compact,delete, retention.ms=1000")
    ]


def test_a_topic_as_it_should_be_is_left_alone_in_whatever_order_its_policies_stand() -> None:
    as_it_is = Existing(8, {"cleanup.policy": "delete, compact", "retention.ms": "1000", "segment.bytes": "1"}, 1)

    assert changes([COMPACTED], {"leads.scored": as_it_is}) == []


def test_a_setting_that_differs_is_to_be_changed() -> None:
    as_it_is = Existing(8, {"cleanup.policy": "delete", "retention.ms": "1000"}, 1)

    assert changes([COMPACTED], {"leads.scored": as_it_is}) == [
        Change("leads.scored", "config_changed", "cleanup.policy: delete → compact,delete")
    ]


@pytest.mark.parametrize(
    ("partitions", "words"),
    [
        (4, "has 4 partitions, should have 8; left as it is"),
        (12, "has 12 partitions, should have 8; left as it is"),
    ],
)
def test_another_number_of_partitions_is_said_and_never_changed(partitions: int, words: str) -> None:
    as_it_is = Existing(partitions, {"cleanup.policy": "compact,delete", "retention.ms": "1000"}, 1)

    assert changes([COMPACTED], {"leads.scored": as_it_is}) == [Change("leads.scored", "partitions_differ", words)]


REPLICATED = TopicSpec("leads.scored", 8, {"cleanup.policy": "compact", "min.insync.replicas": "2"}, 3)


def test_copies_that_are_missing_are_said_and_nothing_is_set_that_would_end_all_writing() -> None:
    single = Existing(8, {"cleanup.policy": "delete", "min.insync.replicas": "1"}, 1)

    assert changes([REPLICATED], {"leads.scored": single}) == [
        Change("leads.scored", "replicas_differ", "has 1 replica, should have 3; left as it is"),
        Change("leads.scored", "config_changed", "cleanup.policy: delete → compact"),
    ]


def test_how_many_copies_must_have_a_record_is_set_where_there_are_as_many() -> None:
    replicated = Existing(8, {"cleanup.policy": "compact", "min.insync.replicas": "1"}, 3)

    assert changes([REPLICATED], {}) == [
        Change("leads.scored", "created", "8 partitions, 3 replicas, cleanup.policy=compact, min.insync.replicas=2")
    ]
    assert changes([REPLICATED], {"leads.scored": replicated}) == [
        Change("leads.scored", "config_changed", "min.insync.replicas: 1 → 2")
    ]


def test_a_topic_that_is_named_twice_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="twice"):
        apply("127.0.0.1:1", [TopicSpec("a", 1), TopicSpec("a", 2)])


def test_brokers_that_do_not_answer_are_named() -> None:
    with pytest.raises(KafkaUnreachable, match=r"no broker answers at 127\.0\.0\.1:1"):
        apply("127.0.0.1:1", [TopicSpec("a", 1)], patience=0.2)
