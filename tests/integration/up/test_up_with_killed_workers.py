"""Everything at once on real servers: workers are killed under load, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.integration.up.installation import Servers, journeys, thaw
from tests.running import Running, post
from tests.waiting import until

PEOPLE = 600


@pytest.mark.kafka
@pytest.mark.real_kafka
@pytest.mark.postgres
@pytest.mark.timeout(400)
def test_killed_workers_lose_nothing_and_double_nothing(
    real_kafka: str, topic_prefix: str, database_url: str, tmp_path: Path
) -> None:
    servers, events = Servers(real_kafka, database_url, topic_prefix), journeys(PEOPLE)
    quarter, left = len(events) // 4, {}
    with Running(tmp_path, servers.environment, "ingest=1,scoring=2,routing=2") as running:
        ready = running.hears("ready", 120)
        post(ready["collector"], events[:quarter])
        # From the last one, for the others bring it its work.
        for number, stage in enumerate(("routing", "scoring", "ingest"), 1):
            servers.pile_up(ready, stage, events[number * quarter : (number + 1) * quarter])
            killed, *others = ready["pids"][stage]
            os.kill(killed, signal.SIGKILL)
            left[stage] = servers.left(stage)  # nobody has done any of it since: the others are frozen still
            thaw(others)
        report = until(
            lambda: servers.at_rest(len(events)), 240, "every event to be scored and every lead on its queue", every=2
        )
        code = running.stop()

    assert all(all(of_stage) for of_stage in left.values()), left
    assert code == 0
    assert report.violations == ()
    assert report.lines["leads with an MQL transition"] == str(PEOPLE)
    assert report.lines["assignments in the ledger"] == str(PEOPLE)
    assert report.lines["records on queue general"] == str(PEOPLE)
