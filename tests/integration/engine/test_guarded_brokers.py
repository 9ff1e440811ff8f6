"""Brokers that let nobody in without a certificate or a password: all clients of Baton get in, by the same options."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from streaming.faust import quiet
from streaming.faust.app import make_app
from streaming.topics import TopicSpec, apply, lag
from tests.audit.look import look
from tests.audit.report import Report
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import ROOT, WAIT, Place, Worker
from tests.kafka import jars
from tests.kafka.guarded import WAYS, GuardedNode, Way, mutual, sasl
from tests.running import Running as Up
from tests.running import post
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

CONFIG = ROOT / "tests" / "cases" / "a-form-reaches-its-queue" / "config"
PEOPLE = 40


@pytest.fixture(scope="module")
def guarded() -> Iterator[GuardedNode]:
    reason = jars.obstacle()
    if reason:
        pytest.skip(f"needs a Kafka node with guarded listeners: {reason}")
    with tempfile.TemporaryDirectory(prefix="baton-guarded-", ignore_cleanup_errors=True) as home:
        node = GuardedNode(Path(home) / "node")
        try:
            node.start()
            node.add_user()
            yield node
        finally:
            node.kill()


@pytest.fixture(params=WAYS)
def way(guarded: GuardedNode, request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param](guarded)


class GuardedPlace(Place):
    """Its workers come in by a guarded listener; the test looks on by the plain one."""

    def __init__(self, node: GuardedNode, way: Way, prefix: str, home: Path) -> None:
        super().__init__(node.bootstrap, prefix, home)
        self.way = way
        names = ["events", "counts", "counting.failed", "counting.state", "answers"]
        apply(way.address, [TopicSpec(prefix + name, PARTITIONS) for name in names])

    def start(self, instance: str = "one", *more: str) -> Worker:
        options = [part for name, value in self.way.options.items() for part in ("--option", f"{name}={value}")]
        self.workers.append(Worker(self.way.bootstrap, self.prefix, self.home, instance, *options, *more))
        return self.workers[-1]


@pytest.fixture
def place(guarded: GuardedNode, way: Way, topic_prefix: str, tmp_path: Path) -> Iterator[GuardedPlace]:
    found = GuardedPlace(guarded, way, topic_prefix, tmp_path / "workers")
    yield found
    found.close()


def ports(worker: Worker) -> set[int]:
    """Those that a worker is connected to, its own loops left out."""
    found = psutil.Process(worker.process.pid).net_connections("tcp")
    return {one.raddr.port for one in found if one.status == psutil.CONN_ESTABLISHED and one.raddr}


def test_a_stage_that_is_killed_and_restored_counts_each_record_once(place: GuardedPlace) -> None:
    from_kafka = ("--local-state-seconds", "0")
    first = place.start("one", "--max-records", "20", *from_kafka).ready()
    place.send(4_000)
    until(lambda: place.done() > 0, WAIT, "it to have settled something")
    seen, left = ports(first), place.sent - place.done()
    first.end(signal.SIGKILL)
    second = place.start("two", *from_kafka).ready()
    place.settled()

    assert left > 0, "nothing was left to do when it was killed"
    assert seen == ports(second) == {int(place.way.bootstrap.rpartition(":")[2])}
    assert "restored" in second.said()
    group, events = place.prefix + "counting", place.prefix + "events"
    assert sum(part.records for part in lag(place.way.address, group, [events])) == 0
    assert second.end() == 0
    place.audit()


def test_an_agent_of_a_quiet_topic_gets_in_beside_its_stage(place: GuardedPlace) -> None:
    ready, taken = threading.Event(), list[bytes | None]()
    told = replace(settings(place, "one"), bootstrap=place.way.bootstrap, librdkafka=dict(place.way.options))
    app = make_app(counting(place), told, on_ready=ready.set)
    quiet.take(app, place.prefix + "answers", lambda message: taken.append(message.value()), lambda _: None)
    running = Running(app)
    try:
        assert ready.wait(WAIT)
        place.send(400)
        for number in range(3):
            place.producer.produce(place.prefix + "answers", b"%d" % number, b"k")
        place.producer.flush(WAIT)
        until(lambda: len(taken) == 3, WAIT, "the agent to take them")
        place.settled()
        running.check()
    finally:
        running.stop()

    assert taken == [b"0", b"1", b"2"]
    place.audit()


def baton(home: Path, environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    more = {"BATON_DATA_DIR": str(home / "data"), "BATON_CONFIG_DIR": str(CONFIG), "BATON_METRICS_PORT": "0"}
    ports = {"BATON_COLLECTOR_PORT": "0", "BATON_SALES_PORT": "0", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "baton", *words], env={**more, **ports, **environment},
        capture_output=True, text=True, timeout=WAIT, check=False, cwd=home, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_commands_get_in(way: Way, topic_prefix: str, tmp_path: Path) -> None:
    environment = {**way.environment, "BATON_TOPIC_PREFIX": topic_prefix, "BATON_PARTITIONS": "2"}
    made, again = (baton(tmp_path, environment, "topics", "apply", "--json") for _ in range(2))
    failed = baton(tmp_path, environment, "failed", "list", "--json")
    looked = baton(tmp_path, environment, "doctor", "--json")

    assert (made.returncode, again.returncode, failed.returncode) == (0, 0, 0), made.stderr + failed.stderr
    assert f"{topic_prefix}leads.events" in {change["topic"] for change in json.loads(made.stdout)}
    assert json.loads(again.stdout) == []
    [broker] = [one for one in json.loads(looked.stdout) if one["what"] == "broker"]
    assert (broker["ok"], broker["detail"]) == (True, f"{way.bootstrap} answers")


@pytest.mark.postgres
def test_a_whole_installation_gets_in(
    guarded: GuardedNode, topic_prefix: str, database_url: str, tmp_path: Path
) -> None:
    """Collector, relay, the reader of outcomes and the sales API among it."""
    environment = {
        **mutual(guarded).environment,
        "BATON_DATABASE_URL": database_url,
        "BATON_TOPIC_PREFIX": topic_prefix,
        "BATON_CONFIG_DIR": str(CONFIG),
        "BATON_PARTITIONS": "2",
    }
    event = {"type": "demo_requested", "occurred_at": "2026-05-01T10:00:00Z", "source": "website"}
    more = {"properties": {"path": "/pricing"}}
    people = [{"event_id": f"e{n}", **event, "subject": {"email": f"p{n}@firm{n}.com"}, **more} for n in range(PEOPLE)]
    with Up(tmp_path, environment, "ingest=1,scoring=1,routing=1") as running:
        ready = running.hears("ready", 120)
        post(ready["collector"], people)

        def at_rest() -> Report | None:
            report = look(guarded.bootstrap, database_url, topic_prefix)
            done = report.lines["records in leads.scored"] == str(PEOPLE) and not report.violations
            return report if done else None

        report = until(at_rest, 120, "every lead to be on its queue", every=1)
        behind = baton(tmp_path, environment, "lag", "--json")
        code = running.stop()

    assert (code, behind.returncode) == (0, 0), behind.stderr
    assert report.lines["records on queue general"] == str(PEOPLE)
    assert {(row["stage"], row["records"]) for row in json.loads(behind.stdout)} == {
        (stage, 0) for stage in ("ingest", "scoring", "routing")
    }


def shut_out(node: GuardedNode) -> dict[str, tuple[Way, str]]:
    """Ways that lead nowhere, and the option that has to be named."""
    by_certificate, by_password = mutual(node), sasl(node, "SCRAM-SHA-512")
    shown = node.certificates.of("client")
    return {
        "another authority": (
            by_certificate.but({"ssl.ca.location": str(node.certificates.stranger)}),
            "ssl.ca.location",
        ),
        "no certificate": (by_certificate.without(*shown), "ssl.certificate.location and ssl.key.location"),
        "a stranger's certificate": (by_certificate.but(node.certificates.of("intruder")), "ssl.certificate.location"),
        "another password": (by_password.but({"sasl.password": "let-me-out"}), "sasl.password"),
        "no TLS": (Way(by_certificate.bootstrap, {}), "security.protocol"),
    }


WHY = ["another authority", "no certificate", "a stranger's certificate", "another password", "no TLS"]


@pytest.mark.parametrize("why", WHY)
def test_who_is_not_let_in_is_told_why_in_a_line(guarded: GuardedNode, why: str, tmp_path: Path) -> None:
    way, option = shut_out(guarded)[why]
    commands = [("topics", "apply"), ("lag",)] + ([("ingest",), ("collector",)] if way.options else [])
    for command in commands:
        done = baton(tmp_path, way.environment, *command)
        said = done.stderr.strip().splitlines()[-1]

        assert done.returncode == 2, done.stderr
        assert said.startswith("baton: ")
        assert option in said
        assert "BATON_KAFKA_OPTIONS" in said
        assert "Traceback" not in done.stderr + done.stdout
        assert "let-me-out" not in done.stderr + done.stdout

    looked = json.loads(baton(tmp_path, way.environment, "doctor", "--json").stdout)
    [broker] = [one for one in looked if one["what"] == "broker"]
    assert not broker["ok"]
    assert option in broker["detail"]


def test_an_engine_that_is_not_let_in_ends_and_says_why(
    guarded: GuardedNode, topic_prefix: str, tmp_path: Path
) -> None:
    """Without the command line, and after the time that brokers are waited for."""
    way, option = shut_out(guarded)["no certificate"]
    options = [part for name, value in way.options.items() for part in ("--option", f"{name}={value}")]
    worker = Worker(way.bootstrap, topic_prefix, tmp_path / "workers", "one", *options)
    try:
        assert worker.process.wait(2 * WAIT) == 1
    finally:
        worker.process.kill()

    assert re.search(f"the stage ends: .*{re.escape(option)}", worker.said())
    assert "Traceback" not in worker.said()
