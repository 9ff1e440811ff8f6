"""Everything at once on real servers: workers are killed under load, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.audit.look import look
from tests.audit.report import Report
from tests.running import Running, post
from tests.waiting import until

CONFIG = Path(__file__).parents[2] / "cases" / "a-form-reaches-its-queue" / "config"
PEOPLE, EVENTS_EACH = 600, 5


def journeys() -> list[dict]:
    """What everybody does, in the order of time: four page views, then a request for a demo."""
    kinds = ["page_viewed"] * (EVENTS_EACH - 1) + ["demo_requested"]
    return [
        {
            "event_id": f"{person}-{step}",
            "type": kind,
            "occurred_at": f"2026-05-0{step + 1}T10:00:00Z",
            "source": "website",
            "subject": {"email": f"person{person}@firm{person}.com"},
            "properties": {"path": "/pricing"},
        }
        for step, kind in enumerate(kinds)
        for person in range(PEOPLE)
    ]


@pytest.mark.kafka
@pytest.mark.real_kafka
@pytest.mark.postgres
@pytest.mark.timeout(400)
def test_killed_workers_lose_nothing_and_double_nothing(
    real_kafka: str, topic_prefix: str, database_url: str, tmp_path: Path
) -> None:
    environment = {
        "BATON_KAFKA": real_kafka,
        "BATON_DATABASE_URL": database_url,
        "BATON_TOPIC_PREFIX": topic_prefix,
        "BATON_CONFIG_DIR": str(CONFIG),
    }
    events = journeys()
    with Running(tmp_path, environment, "ingest=1,scoring=2,routing=2") as running:
        ready = running.hears("ready", 120)
        half = len(events) // 2
        post(ready["collector"], events[:half])
        for stage in ("scoring", "routing"):
            os.kill(ready["pids"][stage][0], signal.SIGKILL)
        post(ready["collector"], events[half:])
        os.kill(ready["pids"]["ingest"][0], signal.SIGKILL)

        def at_rest() -> Report | None:
            report = look(real_kafka, database_url, topic_prefix)
            done = report.lines["records in leads.scored"] == str(len(events)) and not report.violations
            return report if done else None

        report = until(at_rest, 240, "every event to be scored and every lead to be on its queue", every=2)
        code = running.stop()

    assert code == 0
    assert report.violations == ()
    assert report.lines["leads with an MQL transition"] == str(PEOPLE)
    assert report.lines["assignments in the ledger"] == str(PEOPLE)
    assert report.lines["records on queue general"] == str(PEOPLE)
