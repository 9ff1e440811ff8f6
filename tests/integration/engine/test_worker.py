"""A worker as a process: how it starts, ends, dies, and what it leaves to its successor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer

from streaming.client import KafkaAddress
from streaming.stage import Message
from streaming.topics import TopicSpec, apply, lag
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.kafka_driver import KafkaDriver
from tests.waiting import until

pytestmark = pytest.mark.kafka

PROGRAM = Path(__file__).with_name("worker_program.py")
ROOT = Path(__file__).parents[3]
WAIT = 60.0


class Worker:
    """A worker's process, and what it said."""

    def __init__(self, bootstrap: str, prefix: str, home: Path, instance: str = "one") -> None:
        home.mkdir(exist_ok=True)
        self.log = home / f"{instance}-{len(list(home.iterdir()))}.log"
        command = [sys.executable, str(PROGRAM), "--bootstrap", bootstrap, "--prefix", prefix]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--instance", instance, "--dir", str(home / "app")],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def ready(self) -> Worker:
        until(lambda: "ready" in self.said() or self.process.poll() is not None, WAIT, "the worker to be ready")
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(WAIT)


class Place:
    """Topics of a test on a broker, and the workers on them."""

    def __init__(self, bootstrap: str, prefix: str, home: Path) -> None:
        self.bootstrap, self.prefix, self.home = bootstrap, prefix, home
        self.producer = Producer({"bootstrap.servers": bootstrap})
        self.workers: list[Worker] = []
        self.sent = 0

    def make_topics(self, *left_out: str) -> None:
        names = {"events", "counts", "counting.failed", "counting.state"} - set(left_out)
        apply(self.bootstrap, [TopicSpec(self.prefix + name, PARTITIONS) for name in sorted(names)])

    def start(self, instance: str = "one") -> Worker:
        self.workers.append(Worker(self.bootstrap, self.prefix, self.home, instance))
        return self.workers[-1]

    def send(self, n: int, keys: int = 40) -> None:
        for number in range(self.sent, self.sent + n):
            key = number % keys
            self.producer.produce(self.prefix + "events", b"%d" % number, b"k%d" % key, key % PARTITIONS)
        self.producer.flush(WAIT)
        self.sent += n

    def done(self) -> int:
        address = KafkaAddress.parse(self.bootstrap)
        return sum(part.committed or 0 for part in lag(address, self.prefix + "counting", [self.prefix + "events"]))

    def settled(self) -> None:
        until(lambda: self.done() == self.sent, WAIT, f"{self.sent} records to be settled")

    def audit(self) -> None:
        """Every record has one output, in the order of its key: read by a reader that knows nothing of the engine."""
        of: Counter[bytes | None] = Counter()
        counts: dict[bytes | None, list[int]] = defaultdict(list)
        for record in self.records("counts"):
            of[dict(record.headers() or ())["of"]] += 1
            counts[record.key()].append(int(record.value() or b""))

        assert dict.fromkeys((b"%d" % n for n in range(self.sent)), 1) == dict(of)
        assert all(seen == list(range(1, len(seen) + 1)) for seen in counts.values())

    def records(self, topic: str) -> Sequence[Message]:
        return KafkaDriver(self.bootstrap, self.prefix, self.home).records(self.prefix + topic)


@pytest.fixture
def place(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Place]:
    found = Place(kafka, topic_prefix, tmp_path / "workers")
    yield found
    for worker in found.workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()


@pytest.fixture
def real_place(real_kafka: str, place: Place) -> Place:
    """On the embedded broker a member that was killed is not expired, so its successor would wait for ever."""
    assert place.bootstrap == real_kafka
    return place


def test_a_worker_that_is_told_to_stop_settles_its_round_and_ends_well(place: Place) -> None:
    place.make_topics()
    place.send(3_000)
    worker = place.start().ready()
    until(lambda: place.done() > 0, WAIT, "a first round")

    assert worker.end(signal.SIGTERM) == 0

    second = place.start().ready()
    place.settled()

    assert second.end(signal.SIGINT) == 0
    place.audit()


def test_a_worker_without_its_topics_says_which_and_does_not_end_well(place: Place) -> None:
    place.make_topics("counting.state")
    worker = place.start()

    assert worker.process.wait(WAIT) == 1
    assert f"there is no topic {place.prefix}counting.state" in worker.said()


def test_what_a_killed_worker_had_in_hand_is_done_once_by_its_successor(real_place: Place) -> None:
    real_place.make_topics()
    real_place.send(4_000)
    for instance in ("one", "two"):
        worker = real_place.start(instance).ready()
        before = real_place.done()
        until(lambda before=before: real_place.done() > before, WAIT, "some work")  # type: ignore[misc]
        worker.end(signal.SIGKILL)

    assert real_place.done() < real_place.sent, "nothing was left to do when the worker was killed"

    worker = real_place.start("three").ready()
    real_place.settled()

    assert worker.end() == 0
    real_place.audit()


def test_workers_that_come_and_go_lose_and_double_nothing(real_place: Place) -> None:
    real_place.make_topics()
    real_place.send(2_000)
    first = real_place.start("one").ready()
    second = real_place.start("two").ready()
    real_place.send(2_000)

    assert first.end() == 0

    third = real_place.start("three").ready()
    real_place.send(1_000)
    real_place.settled()

    assert (second.end(), third.end()) == (0, 0)
    real_place.audit()


def test_a_frozen_worker_that_wakes_up_changes_nothing_and_joins_again(real_place: Place) -> None:
    real_place.make_topics()
    frozen = real_place.start("frozen").ready()
    other = real_place.start("other").ready()
    real_place.send(1_000)
    frozen.process.send_signal(signal.SIGSTOP)
    real_place.send(1_000)
    real_place.settled()
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: frozen.said().count("assigned partitions") > 1, WAIT, "the frozen worker to join again")
    real_place.send(500)
    real_place.settled()

    assert (frozen.end(), other.end()) == (0, 0)
    real_place.audit()


def test_a_record_that_leads_to_one_too_large_fails_alone(place: Place) -> None:
    place.make_topics()
    place.producer.produce(place.prefix + "events", b"0", b"k0", 0)
    place.producer.produce(place.prefix + "events", b"grow", b"k0", 0)
    place.producer.produce(place.prefix + "events", b"2", b"k0", 0)
    place.producer.flush(WAIT)
    place.sent = 3
    worker = place.start().ready()
    place.settled()
    [failed] = place.records("counting.failed")
    counts = [record.value() for record in place.records("counts")]

    assert worker.end() == 0
    assert (failed.key(), failed.value()) == (b"k0", b"grow")
    assert dict(failed.headers())["baton_reason"] == b"too_large"
    assert counts == [b"1", b"2"]
