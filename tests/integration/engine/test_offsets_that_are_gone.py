"""A group whose offsets are gone, or of long ago, on topics that it has worked on: nothing is done again."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streaming.faust.app import make_app
from streaming.faust.marks import Mark, last_marks
from streaming.faust.offsets import ends
from streaming.stage import MARK, Batch
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]


KINDS = pytest.mark.parametrize("kind", [(), ("--no-state",)], ids=["with state", "without state"])


@KINDS
def test_a_stage_whose_group_is_gone_goes_on_where_it_was(real_place: Place, kind: tuple[str, ...]) -> None:
    place, group = real_place, real_place.prefix + "counting"
    admin = worked(place, kind)
    until(lambda: deleted(admin, group), WAIT, "the group to be gone")

    second = place.start("second", *kind).ready()
    place.send(100)
    place.settled()
    assert "the group says -1" in second.said()
    place.audit()


@KINDS
def test_offsets_of_long_ago_do_nothing_again(real_place: Place, kind: tuple[str, ...]) -> None:
    place = real_place
    admin = worked(place, kind)
    until(lambda: offsets_are(admin, place, 10), WAIT, "the offsets to be put back")

    second = place.start("second", *kind).ready()
    place.send(100)
    place.settled()
    assert "the group says 10" in second.said()
    place.audit()


def test_what_was_said_of_a_topic_that_was_made_anew_is_not_believed(real_place: Place) -> None:
    place, source = real_place, real_place.prefix + "events"
    admin = worked(place, ())
    admin.delete_topics([source])[source].result()
    until(lambda: source not in admin.list_topics().topics, WAIT, "the source to be gone")
    place.make_topics("counts", "counting.failed", "counting.state")

    second = place.start("second")
    until(lambda: "nothing is committed of partitions" in second.said(), WAIT, "the worker to say so")
    assert "ready" not in second.said().split()
    assert second.end() == 0

    until(lambda: offsets_are(admin, place, 0), WAIT, "the offsets to be put to the beginning")
    place.start("third").ready()
    place.sent = 0
    place.send(100)
    place.settled()


def test_a_worker_whose_breaker_is_open_meanwhile_does_not_believe_it_either(
    real_place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """It fetches nothing, and lives: what it knew of the source has to be asked for anew. As many records are there."""
    place, source = real_place, real_place.prefix + "events"
    caplog.set_level(logging.INFO, "streaming")
    stage, told = counting(place), replace(settings(place, "one"), breaker_consecutive=1, breaker_resume_seconds=0)

    def fails(batch: Batch[int]) -> None:
        if any(record.value() == b"400" for record in batch.records):
            raise ZeroDivisionError
        stage.handler(batch)

    running = Running(make_app(replace(stage, handler=fails), told))
    try:
        place.send(400)
        place.settled()
        place.send(1)
        [engine] = running.app.engines
        until(lambda: engine.status.breaker.reason, WAIT, "its breaker to open")
        admin = AdminClient({"bootstrap.servers": place.bootstrap})
        admin.delete_topics([source])[source].result()
        until(lambda: source not in admin.list_topics().topics, WAIT, "the source to be gone")
        place.make_topics("counts", "counting.failed", "counting.state")
        place.sent = 0
        place.send(400)
        assert engine.close_breaker()
        until(lambda: "nothing is committed of partitions" in caplog.text, WAIT, "it to say so")
    finally:
        running.stop()

    assert "the group says" not in caplog.text
    assert place.done() == 0


@KINDS
@pytest.mark.parametrize("transaction", ["1", "2"], ids=["claims", "marks"])
def test_a_worker_that_dies_as_it_takes_its_first_partitions_leaves_them_to_others(
    real_place: Place, kind: tuple[str, ...], transaction: str
) -> None:
    place = real_place
    place.send(200)
    dying = place.start("dying", "--fate", "die", "--after", transaction, *kind)
    until(lambda: dying.process.poll() is not None, WAIT, "the worker to die")
    assert "die with a transaction open" in dying.said()
    assert place.done() == 0

    place.start("other", *kind).ready()
    place.settled()
    place.audit()


@KINDS
def test_a_changelog_of_before_its_marks_had_positions_leaves_it_to_the_group(
    real_place: Place, kind: tuple[str, ...]
) -> None:
    place = real_place
    worked(place, kind)
    write(place, {number: [(MARK, b"")] for number in range(PARTITIONS)})

    second = place.start("second", *kind).ready()
    place.send(100)
    place.settled()
    assert "the group says" not in second.said()
    place.audit()


def test_the_last_mark_is_found_however_much_state_came_after_it(real_place: Place) -> None:
    place, changelog, told = real_place, real_place.prefix + "counting.state", settings(real_place, "one")
    state = [(b"k%d" % number, b"1") for number in range(2_500)]
    write(place, {0: [(MARK, Mark("id", 7).to_bytes()), *state], 1: state, 2: [(MARK, b""), *state[:50]]})

    asker = told.offset_reader("read_uncommitted")
    found = last_marks(told, changelog, ends(asker, changelog, range(PARTITIONS)))
    asker.close()

    assert found == {0: Mark("id", 7), 2: None}


def write(place: Place, records: dict[int, list[tuple[bytes, bytes]]]) -> None:
    """Records of the changelog, by partition, in one transaction."""
    writer = Producer({"bootstrap.servers": place.bootstrap, "transactional.id": place.prefix + "old"})
    writer.init_transactions(WAIT)
    writer.begin_transaction()
    for number, of_one in records.items():
        for key, value in of_one:
            writer.produce(place.prefix + "counting.state", value, key, number)
    writer.commit_transaction(WAIT)


def worked(place: Place, kind: tuple[str, ...]) -> AdminClient:
    """400 records are done, and nobody is there any more."""
    place.start("first", *kind).ready()
    place.send(400)
    place.settled()
    assert place.workers[0].end() == 0
    return AdminClient({"bootstrap.servers": place.bootstrap})


def offsets_are(admin: AdminClient, place: Place, offset: int) -> bool:
    slots = [TopicPartition(place.prefix + "events", number, offset) for number in range(PARTITIONS)]
    return altered(admin, ConsumerGroupTopicPartitions(place.prefix + "counting", slots))


def deleted(admin: AdminClient, group: str) -> bool:
    return _done(admin.delete_consumer_groups([group])[group])


def altered(admin: AdminClient, offsets: ConsumerGroupTopicPartitions) -> bool:
    return _done(next(iter(admin.alter_consumer_group_offsets([offsets]).values())))


def _done(answer: object) -> bool:
    try:
        answer.result()  # type: ignore[attr-defined]
    except KafkaException:  # somebody is still a member
        return False
    return True
