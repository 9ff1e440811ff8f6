"""A broker that hangs past every session, and a database that restarts meanwhile: `baton up` gets over both alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest

from baton.embedded.database import EmbeddedDatabase
from tests.integration.up.installation import SOURCES, Servers, journeys, thaw
from tests.kafka.node import Node
from tests.running import Running, post
from tests.waiting import until

PEOPLE = 200
HANG_SECONDS = 25.0
"""A session's ten and as many more that transactions have run out, too: how long it hangs is the fault itself."""


@pytest.fixture
def database() -> Iterator[EmbeddedDatabase]:
    """Of the test's own, for it is restarted; in a folder that its user may reach."""
    home = Path(tempfile.mkdtemp(prefix="baton-up-"))
    home.chmod(0o755)
    server = EmbeddedDatabase(home / "postgres", home / "postgres.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.kafka
@pytest.mark.real_kafka
@pytest.mark.postgres
@pytest.mark.timeout(400)
def test_a_hang_of_the_broker_and_a_restart_of_the_database_pass_without_anybody(
    kafka_node: Node, database: EmbeddedDatabase, topic_prefix: str, tmp_path: Path
) -> None:
    servers, events = Servers(kafka_node.bootstrap, database.url, topic_prefix), journeys(PEOPLE)
    fifth = len(events) // 5

    def said(stage: str) -> str:
        return (tmp_path / "data" / "logs" / f"{stage}-1.log").read_text(errors="replace")

    with Running(tmp_path, servers.environment, "ingest=1,scoring=1,routing=1") as running:
        ready = running.hears("ready", 120)
        post(ready["collector"], events[:fifth])
        for number, stage in enumerate(("routing", "scoring", "ingest"), 1):
            servers.pile_up(ready, stage, events[number * fifth : (number + 1) * fifth])
        kafka_node.pause()
        hung = monotonic()
        try:
            for stage in SOURCES:
                thaw(ready["pids"][stage])
            door = httpx.post(f"{ready['collector']}/v1/events", json=events[4 * fifth :], timeout=60).status_code
            database.stop()
            database.start()
            until(
                lambda: all("session timed out" in said(stage) for stage in SOURCES),
                60,
                "every stage to lose its membership",
            )
            until(lambda: monotonic() > hung + HANG_SECONDS, 60, "the end of the hang")
        finally:
            kafka_node.resume()
        until(lambda: httpx.get(f"{ready['collector']}/readyz").is_success, 60, "the door to take events again")
        post(ready["collector"], events[4 * fifth :])
        report = until(
            lambda: servers.at_rest(len(events)), 200, "every event to be scored and every lead on its queue", every=2
        )
        code = running.stop()

    assert (door, code) == (503, 0)
    assert {report.lines[f"records in {stage}.failed"] for stage in SOURCES} == {"0"}
    assert report.violations == ()
    assert report.lines["leads with an MQL transition"] == str(PEOPLE)
    assert report.lines["records on queue general"] == str(PEOPLE)
