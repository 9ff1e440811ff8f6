"""State on a worker's disk: with the rest of the changelog it is the same as the whole changelog, or it is not used."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import NewTopic

from streaming.faust import restore
from streaming.faust.assignment import Assignment, Partition
from streaming.faust.faults import Refused
from streaming.faust.local_state import LocalState
from streaming.faust.owners import FormerOwners
from streaming.faust.settings import slot
from streaming.faust.transaction import KafkaKeeper
from streaming.faust.watchdog import Watchdog
from streaming.stage import Stage
from tests.integration.engine.changelog import CODEC, PARTITIONS, Changelog, contents, member, values
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka]


@pytest.fixture
def changelog(real_kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changelog:
    """Read to disk by lives with local state, to memory by others."""
    monkeypatch.setattr(restore, "WORTH_SPOOLING", 1)
    return Changelog(real_kafka, topic_prefix + "state", tmp_path)


@pytest.fixture(params=[restore.WORTH_SPOOLING, 1], ids=["read to memory", "read to disk"])
def saved(changelog: Changelog, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Changelog:
    """A changelog with a thousand keys, and files of it."""
    monkeypatch.setattr(restore, "WORTH_SPOOLING", request.param)
    changelog.make()
    changelog.write(values(1_000))
    changelog.save(changelog.life())
    assert len(changelog.files()) == PARTITIONS
    return changelog


def test_a_restart_reads_the_rest_alone(saved: Changelog) -> None:
    saved.write({**values(100, b"newer"), **{b"key %d" % n: None for n in range(50, 150)}})
    saved.write(values(1_000, b"aborted"), commit=False)
    saved.check()

    parts = saved.life()
    assert saved.read == 150
    assert sum(part.state.size for part in parts) >= 950
    assert parts[0].state.get(b"key 0") == b"newer 0"
    assert parts[0].state.get(b"key 100") is None


def test_a_second_file_takes_over_what_the_first_had_and_what_was_deleted_since(saved: Changelog) -> None:
    saved.write({**values(300, b"newer"), **{b"key %d" % n: None for n in range(200, 400)}})
    saved.save(saved.life())
    saved.check()

    parts = saved.life()
    assert saved.read == 0
    assert sum(part.state.size for part in parts) == 800


def test_what_a_worker_wrote_itself_is_in_its_file(saved: Changelog) -> None:
    parts = saved.life()
    saved.write({b"key 2": b"mine", b"key 4": None})
    parts[0].state.take({b"key 2": b"mine", b"key 4": None})
    saved.save(parts)
    saved.check()
    assert contents(saved.life())[0][b"key 2"] == b"mine"


def test_a_changelog_that_was_made_anew_is_read_whole(saved: Changelog, caplog: pytest.LogCaptureFixture) -> None:
    saved.remove()
    saved.make()
    saved.producer = saved.settings.transactional_producer(saved.topic)
    saved.producer.init_transactions(WAIT)
    saved.write(values(3_000, b"other"))
    saved.check()
    saved.life()
    assert saved.read == 3_000
    assert "made anew" in caplog.text


def test_a_changelog_that_was_cut_is_read_whole(changelog: Changelog) -> None:
    changelog.make(cleanup_policy="compact,delete")  # a topic that is compacted alone cannot be cut
    changelog.write(values(1_000))
    changelog.save(changelog.life())
    cut = [TopicPartition(changelog.topic, number, 100) for number in range(PARTITIONS)]
    for future in changelog.admin.delete_records(cut).values():
        future.result()
    changelog.check()
    changelog.life()
    assert changelog.read == 800


def test_a_damaged_file_is_not_used_and_that_is_said(saved: Changelog, caplog: pytest.LogCaptureFixture) -> None:
    for path in saved.files():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    saved.check()
    saved.life()
    assert saved.read == 1_000
    assert [record.levelname for record in caplog.records if "checksum" in record.message]


def test_a_file_as_old_as_tombstones_become_is_not_used(changelog: Changelog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    changelog.make(
        delete_retention_ms="0", min_cleanable_dirty_ratio="0.001", segment_ms="100", max_compaction_lag_ms="200"
    )
    changelog.write(values(100))
    changelog.save(changelog.life())
    changelog.write({b"key %d" % n: None for n in range(50)})

    def gone() -> bool:
        changelog.write({b"later 0": b"%f" % time.time(), b"later 1": b""})  # a segment in use is not compacted
        changelog.life(local=False)
        return changelog.read < 90

    until(gone, WAIT * 2, "the tombstones to be compacted away", every=0.5)
    changelog.check()
    assert "tombstones are kept for 0 s" in caplog.text


def test_compaction_meanwhile_changes_nothing(changelog: Changelog) -> None:
    changelog.make(min_cleanable_dirty_ratio="0.001", segment_ms="100", max_compaction_lag_ms="200")
    written = 0

    def compacted() -> bool:
        nonlocal written
        word = b"turn %d" % written
        changelog.write({**values(500, word), b"key %d" % (written % 500): None})
        parts = changelog.life()
        assert contents(parts) == contents(changelog.life(local=False))
        changelog.save(parts)
        written += 500
        return changelog.read < written - 1_000

    until(compacted, WAIT * 2, "the changelog to be compacted")


def test_without_a_word_of_the_broker_that_the_partitions_are_ours_nothing_is_written(changelog: Changelog) -> None:
    def refused(_: Sequence[Partition]) -> None:
        raise Refused("another generation")

    changelog.make()
    changelog.write(values(100))
    parts = changelog.life()
    local = LocalState(changelog.settings, changelog.topic, CODEC)
    local.begin(changelog.asker, member(parts), refused)
    local.close(WAIT)

    assert changelog.files() == []
    assert not any(part.state.on_file or part.state.frozen is not None for part in parts)


def test_a_worker_that_was_overtaken_gets_no_such_word(changelog: Changelog) -> None:
    """Its changelog has records of its successor that its own state lacks: a file would hide them for good."""
    changelog.make()
    source = changelog.topic + ".source"
    changelog.admin.create_topics([NewTopic(source, PARTITIONS, 1)])[source].result()
    stage = Stage("s", source, "failed", lambda _: None, changelog=changelog.topic, codec=CODEC)
    changelog.write(values(100))
    claimed = ConsumerGroupTopicPartitions(changelog.settings.group, [slot(source, n, 0) for n in range(PARTITIONS)])
    next(iter(changelog.admin.alter_consumer_group_offsets([claimed]).values())).result()
    settings = replace(changelog.settings, session_timeout_seconds=6, poll_interval_seconds=6)
    watchdog = Watchdog()
    consumer, other = settings.group_consumer(), settings.group_consumer()
    keeper = KafkaKeeper(stage, settings, watchdog, FormerOwners(settings, watchdog))
    assignment, successor = Assignment(consumer, source, {}), Assignment(other, source, {})
    try:
        keeper.open()
        assignment.join()
        until(lambda: consumer.consume(1, 0.1) or assignment.is_member, WAIT, "it to become a member")
        until(lambda: keeper.prepare(assignment, assignment.waiting()), WAIT, "its state")
        for part in assignment.parts.values():
            part.running = True
        successor.join()
        # The first one is not served any more, so it does not hear of it, and is put out of the group.
        until(lambda: other.consume(1, 0.2) or len(successor.parts) == PARTITIONS, WAIT, "the other one to have all")
        keeper.tend(assignment, leaving=True)
    finally:
        keeper.close()
        assignment.leave(lambda: False)
        successor.leave(lambda: False)
        watchdog.close()
    assert changelog.files() == []


ALWAYS = ("one", "--local-state-records", "1", "--local-state-seconds", "0.2")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_goes_on_from_its_files(real_place: Place, how: signal.Signals) -> None:
    worker = real_place.start(*ALWAYS).ready()
    real_place.send(2_000)
    real_place.settled()
    until(lambda: list(real_place.home.rglob("?.state")), WAIT, "state to be written")
    real_place.send(400)
    worker.end(how)
    real_place.send(400)
    worker = real_place.start(*ALWAYS).ready()
    real_place.settled()
    real_place.audit()

    assert "on state of this machine" in worker.said()
    assert worker.end() == 0


def test_state_is_written_when_a_worker_leaves_and_never_where_that_is_off(real_place: Place) -> None:
    worker = real_place.start("one", "--local-state-records", "1", "--local-state-seconds", "0").ready()
    real_place.send(400)
    real_place.settled()
    assert worker.end() == 0
    assert list(real_place.home.rglob("?.state")) == []

    worker = real_place.start("one", "--local-state-records", "1").ready()
    real_place.send(400)
    real_place.settled()
    assert worker.end() == 0
    assert len(list(real_place.home.rglob("?.state"))) > 0
    real_place.audit()
