"""What tests of a whole installation send it, how they see to it that work is left in it, and when it is at rest."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streaming.lag import lag
from tests.audit.look import look
from tests.audit.report import Report
from tests.running import post
from tests.waiting import until

CONFIG = Path(__file__).parents[2] / "cases" / "a-form-reaches-its-queue" / "config"
EVENTS_EACH = 5
SOURCES = {"ingest": "marketing.events", "scoring": "leads.events", "routing": "leads.scored"}


def journeys(people: int) -> list[dict[str, Any]]:
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
        for person in range(people)
    ]


@dataclass(frozen=True)
class Servers:
    """Of an installation."""

    kafka: str
    database: str
    prefix: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BATON_KAFKA": self.kafka,
            "BATON_DATABASE_URL": self.database,
            "BATON_TOPIC_PREFIX": self.prefix,
            "BATON_CONFIG_DIR": str(CONFIG),
        }

    def left(self, stage: str) -> list[int]:
        """Records that a stage has still to do, by partition of its source."""
        return [at.records for at in lag(self.kafka, f"{self.prefix}baton-{stage}", [self.prefix + SOURCES[stage]])]

    def pile_up(self, ready: dict[str, Any], stage: str, events: list[dict[str, Any]]) -> list[int]:
        """Freeze the workers of a stage in what they do, and give it `events`: work in each partition, whosever it is.

        Gives how much. Whoever looks without that finds none: the stages are as fast as the door.
        """
        for pid in ready["pids"][stage]:
            os.kill(pid, signal.SIGSTOP)
        post(ready["collector"], events)
        return until(lambda: at if all(at := self.left(stage)) else [], 60, f"work in each partition of {stage}")

    def at_rest(self, events: int) -> Report | None:
        """The audit, once all is scored and nothing is amiss."""
        report = look(self.kafka, self.database, self.prefix)
        done = report.lines["records in leads.scored"] == str(events) and not report.violations
        return report if done else None


def thaw(pids: list[int]) -> None:
    """Let workers go on."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
