"""The topics, by name: the one place where they are written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MARKETING_EVENTS = "marketing.events"
LEADS_EVENTS = "leads.events"
LEADS_SCORED = "leads.scored"
SALES_ASSIGNMENTS = "sales.assignments"
SALES_OUTCOMES = "sales.outcomes"
MARKETING_FEEDBACK = "marketing.feedback"
SALES_QUEUE = "sales.queue."
REPLAYS = "baton.replays"

Cleanup = Literal["delete", "compact", "compact,delete"]
DAY_MS = 24 * 3600 * 1000
FAILED_RECORD_BYTES = 2 * 1024 * 1024
"""A failed record is the original and a few headers: it must fit where the largest original (1 MiB) just fitted."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be. `retention_ms` -1 keeps for ever; None leaves it to the broker."""

    name: str
    cleanup: Cleanup
    retention_ms: int | None = None
    max_record_bytes: int | None = None


def failed(stage: str) -> str:
    """Topic of the records that `stage` could not process."""
    return f"{stage}.failed"


def changelog(stage: str) -> str:
    """Topic that the state of `stage` can be restored from.

    Ingest, which has none, marks in it where it has been, and the relay of routing how far its lanes are.
    """
    return f"{stage}.state"


def queue(name: str) -> str:
    """Topic of a sales queue."""
    return SALES_QUEUE + name


def all_topics(queues: list[str]) -> list[Topic]:
    """Every topic of Baton, without prefix; the history of leads is kept for ever so that it can be replayed."""
    return [
        Topic(MARKETING_EVENTS, "delete", -1),
        Topic(LEADS_EVENTS, "delete", -1),
        Topic(LEADS_SCORED, "compact,delete", 400 * DAY_MS),
        *(Topic(queue(name), "delete", 90 * DAY_MS) for name in queues),
        Topic(SALES_ASSIGNMENTS, "compact,delete", 400 * DAY_MS),
        Topic(SALES_OUTCOMES, "delete", -1),
        Topic(MARKETING_FEEDBACK, "compact"),
        *(Topic(changelog(stage), "compact") for stage in ("ingest", "scoring", "routing")),
        *(Topic(failed(stage), "delete", -1, FAILED_RECORD_BYTES) for stage in ("ingest", "scoring", "routing")),
        Topic(REPLAYS, "compact"),
    ]
