"""Where a stage is slower than its source, it stops fetching, and its memory has a bound. See docs/operating.md."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from streaming.faust.settings import FETCH_BYTES, FETCHED_KBYTES
from streaming.topics import TopicSpec, apply
from tests.faults.database import Database
from tests.integration.engine.place import ROOT, WAIT, Place
from tests.kafka.jars import classpath
from tests.kafka.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(400)]

PAD = b"0" * 2_000
RECORDS = 100_000
"""200 MB: what an unbounded worker would hold."""
BOUND = 96_000_000
"""What a worker may take beside what it takes idle; see docs/operating.md."""


class Watched:
    """A worker, its memory, and what its consumer holds."""

    def __init__(self, home: Path, module: str, *told: str) -> None:
        home.mkdir(exist_ok=True)
        self.log, self.stats = home / "worker.log", home / "fetched"
        self.stats.touch()
        command = [sys.executable, "-m", "tests.integration.engine.watched", str(self.stats), module, *told]
        with self.log.open("wb") as log:
            self.process = psutil.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.idle = self.peak = 0

    def settled(self) -> None:
        """It is idle now; what it takes from here on counts."""
        self.idle = self.peak = self.look()

    def look(self) -> int:
        self.peak = max(self.peak, self.process.memory_info().rss)
        return self.process.memory_info().rss

    def fetched(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stats.read_text().splitlines()]

    def said(self, word: str) -> bool:
        return word in self.log.read_text(errors="replace")


@contextmanager
def watched(*told: Any) -> Iterator[Watched]:
    worker = Watched(*told)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def fill(place: Place, topic: str, value: Callable[[int], bytes]) -> None:
    for n in range(RECORDS):
        place.producer.produce(place.prefix + topic, value(n), b"k%d" % (n % 40), n % 4)
        if n % 500 == 0:
            place.producer.poll(0)
    place.producer.flush(WAIT)


def throttle(bootstrap: str, client: str, bytes_a_second: int) -> None:
    """The broker takes no more than this from that client: so its outputs are slow, and nothing else is."""
    tool = ["java", "-cp", classpath(), "kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap, "--alter"]
    quota = ["--entity-type", "clients", "--entity-name", client, "--add-config"]
    subprocess.run([*tool, *quota, f"producer_byte_rate={bytes_a_second}"], check=True, capture_output=True)


def stood_still(worker: Watched) -> bool:
    """Whether for a second nothing was fetched, although the stage had not yet taken all there was."""
    lines = worker.fetched()
    return any(
        lines[n]["waiting"] > 0 and lines[n]["fetched"] == lines[n - 5]["fetched"] < RECORDS
        for n in range(5, len(lines))
    )


def stays_bounded(worker: Watched, enough: Callable[[], bool], what: str) -> None:
    """Memory, until there was enough to see; then: the consumer held what it may hold and no more."""
    until(lambda: worker.look() and enough(), WAIT * 4, what, every=0.2)
    most = max(one["waiting_bytes"] for one in worker.fetched())
    print(f"{what}: {(worker.peak - worker.idle) / 1e6:.0f} MB more than idle, {most / 1e6:.0f} MB of them fetched")

    assert worker.process.is_running()
    assert stood_still(worker)
    assert worker.peak - worker.idle < BOUND
    assert 0 < most <= FETCHED_KBYTES * 1024 + FETCH_BYTES


def test_slow_outputs_stop_the_fetch(kafka_node: Node, topic_prefix: str, tmp_path: Path) -> None:
    place = Place(kafka_node.bootstrap, topic_prefix, tmp_path / "workers")
    place.make_topics()
    told = [
        "--bootstrap",
        place.bootstrap,
        "--prefix",
        place.prefix,
        "--instance",
        "one",
        "--dir",
        str(tmp_path / "app"),
    ]
    with watched(tmp_path / "w", "tests.integration.engine.worker_program", *told, "--max-records", "4000") as worker:
        until(lambda: worker.said("ready"), WAIT, "the worker to be ready")
        place.send(400)
        place.settled()
        worker.settled()
        throttle(place.bootstrap, f"{place.prefix}counting-one", 400_000)
        fill(place, "events", lambda n: PAD + b"%d" % n)
        # A round of 4,000 takes longer than a transaction may: it is made smaller until the broker takes it in time.
        stays_bounded(worker, lambda: place.done() > 4_000, "some rounds to be settled")
        assert place.done() < RECORDS / 2


def test_a_broker_that_hangs_leaves_memory_as_it_is(kafka_node: Node, topic_prefix: str, tmp_path: Path) -> None:
    place = Place(kafka_node.bootstrap, topic_prefix, tmp_path / "workers")
    place.make_topics()
    told = [
        "--bootstrap",
        place.bootstrap,
        "--prefix",
        place.prefix,
        "--instance",
        "one",
        "--dir",
        str(tmp_path / "app"),
    ]
    with watched(tmp_path / "w", "tests.integration.engine.worker_program", *told, "--max-records", "200") as worker:
        until(lambda: worker.said("ready"), WAIT, "the worker to be ready")
        place.send(400)
        place.settled()
        worker.settled()
        fill(place, "events", lambda n: PAD + b"%d" % n)
        until(lambda: place.done() > 1_000, WAIT, "it to be at work")
        left = RECORDS - place.done()
        kafka_node.pause()
        try:
            until(lambda: worker.look() and worker.said("again"), WAIT, "it to feel that", every=0.2)
        finally:
            kafka_node.resume()
        assert left > RECORDS / 4
        stays_bounded(worker, lambda: place.done() > RECORDS / 2, "it to go on")


@pytest.mark.postgres
def test_a_locked_ledger_stops_the_fetch(real_kafka: str, topic_prefix: str, server_home: Path, tmp_path: Path) -> None:
    place = Place(real_kafka, topic_prefix, tmp_path / "workers")
    names = [place.prefix + name for name in ("events", "out", "side", "sums.failed")]
    apply(place.bootstrap, [TopicSpec(name, 4) for name in names])
    home = server_home / "locked"
    home.mkdir()
    database = Database(home)
    told = ["--bootstrap", place.bootstrap, "--prefix", place.prefix, "--source", "events", "--instance", "one"]
    more = ["--dir", str(tmp_path), "--database", database.url("sums"), "--pause", "0"]
    try:
        with watched(tmp_path / "w", "tests.faults.program", *told, *more) as worker:
            until(lambda: worker.said("goes on at"), WAIT, "the worker to run")
            worker.settled()
            with psycopg.connect(database.bare_url("sums")) as holder:
                holder.execute("LOCK TABLE sums IN ACCESS EXCLUSIVE MODE")
                fill(place, "events", lambda n: PAD + b"%d" % n)
                stays_bounded(worker, lambda: worker.said("again in") and stood_still(worker), "it to feel the lock")
    finally:
        database.stop()
