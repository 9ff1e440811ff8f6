"""Where a stage is slower than its source, it stops fetching, and its memory has a bound. See docs/operating.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from streaming.topics import TopicSpec, apply
from tests.faults.database import Database
from tests.integration.engine.memory import stays_bounded, stood_still, throttle, watched
from tests.integration.engine.place import WAIT, Place
from tests.kafka.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(400)]

PAD = b"0" * 2_000
RECORDS = 100_000
"""200 MB: what an unbounded worker would hold."""


def fill(place: Place, topic: str, value: Callable[[int], bytes]) -> None:
    for n in range(RECORDS):
        place.producer.produce(place.prefix + topic, value(n), b"k%d" % (n % 40), n % 4)
        if n % 500 == 0:
            place.producer.poll(0)
    place.producer.flush(WAIT)


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
        stays_bounded(worker, lambda: place.done() > 4_000, "some rounds to be settled", RECORDS)
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
        stays_bounded(worker, lambda: place.done() > RECORDS / 2, "it to go on", RECORDS)


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

                def felt_it() -> bool:
                    return worker.said("again in") and stood_still(worker, RECORDS)

                stays_bounded(worker, felt_it, "it to feel the lock", RECORDS)
    finally:
        database.stop()
