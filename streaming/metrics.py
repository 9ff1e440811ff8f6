"""Every metric of every process, in one place. No label ever carries a person's data.

Base units are Prometheus': seconds, records, timestamps in seconds since the epoch. Names hold
from version to version.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter, of no use here

REGISTRY: Final = CollectorRegistry()
"""What `/metrics` shows: the metrics below, the process's own (memory, CPU, files) and Python's version."""
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# From one round trip on a fast disk up to a round that nearly ran into its deadline.
BATCH_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Fine below a second, where the promise lies; up to a day, for leads that waited for somebody to be at work.
HANDOFF_BUCKETS: Final = (
    *(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    *(300.0, 900.0, 3600.0, 14400.0, 86400.0),
)

RECORDS: Final = Counter(
    "baton_records_total",
    "Records taken from a stage's input, by what became of them; the outcomes of a stage sum to the records it took.",
    ["stage", "outcome"],  # outcome: processed | failed | what a stage names itself (duplicate, suppressed, ...)
    registry=REGISTRY,
)
FAILED: Final = Counter(
    "baton_failed_total",
    "Records that a stage could not process and sent to its failed topic, by typed reason.",
    ["stage", "reason"],
    registry=REGISTRY,
)
BATCH_SECONDS: Final = Histogram(
    "baton_batch_seconds",
    "Time of a round from its first record taken to its commit.",
    ["stage"],
    buckets=BATCH_BUCKETS,
    registry=REGISTRY,
)
LAG_RECORDS: Final = Gauge(
    "baton_consumer_lag_records",
    "Records of a source partition that are not yet committed.",
    ["stage", "topic", "partition"],
    registry=REGISTRY,
)
LAG_SECONDS: Final = Gauge(
    "baton_consumer_lag_seconds",
    "Age of the oldest record that a stage has not yet committed; 0 where it has caught up.",
    ["stage"],
    registry=REGISTRY,
)
BREAKER_OPEN: Final = Gauge(
    "baton_breaker_open",
    "1 while a stage stands still because too many of its records failed.",
    ["stage"],
    registry=REGISTRY,
)
BREAKER_ALLOWANCE: Final = Gauge(
    "baton_breaker_allowance_records",
    "Failures that a stage still lets pass uncounted since an operator said so; 0 otherwise.",
    ["stage"],
    registry=REGISTRY,
)
HANDOFF_SECONDS: Final = Histogram(
    "baton_handoff_seconds",
    "Time from the capture of what made a lead qualify to its record on the sales queue.",
    ["queue"],
    buckets=HANDOFF_BUCKETS,
    registry=REGISTRY,
)
ASSIGNMENTS: Final = Counter(
    "baton_assignments_total",
    "Leads given to a rep of a queue; `rep` is the id from the roster, empty for a lead that waits for somebody.",
    ["queue", "rep"],
    registry=REGISTRY,
)
OFFERS_OPEN: Final = Gauge(
    "baton_offers_open",
    "Offers that a rep has neither accepted nor declined, and that have not expired.",
    ["queue"],
    registry=REGISTRY,
)
WAITING_LEADS: Final = Gauge(
    "baton_waiting_leads",
    "Leads on a queue that nobody could be found for yet.",
    ["queue"],
    registry=REGISTRY,
)
OUTBOX_RECORDS: Final = Gauge(
    "baton_outbox_records",
    "Records in the ledger's outbox that the relay has not yet published; a routing worker measures it.",
    registry=REGISTRY,
)
OUTBOX_OLDEST: Final = Gauge(
    "baton_outbox_oldest_seconds",
    "Age of the oldest record in the ledger's outbox; 0 where it is empty.",
    registry=REGISTRY,
)
SLA_BREACHES: Final = Counter(
    "baton_sla_breaches_total",
    "Offers that were not answered within the time their queue allows.",
    ["queue"],
    registry=REGISTRY,
)
SOURCE_LAST_EVENT: Final = Gauge(
    "baton_source_last_event_timestamp_seconds",
    "When the last event of a source arrived, in seconds since the epoch; `source` is an id from sources.yaml.",
    ["source"],
    registry=REGISTRY,
)
SOURCE_SILENT: Final = Gauge(
    "baton_source_silent",
    "1 while a source has been silent for longer than its `expect_every`; only sources that have one are shown.",
    ["source"],
    registry=REGISTRY,
)
BUILD: Final = Info(
    "baton_build",
    "Version of Baton that this process runs.",
    registry=REGISTRY,
)


def _version() -> str:
    try:
        return version("baton")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "unknown"


BUILD.info({"version": _version()})


def count_batch(stage: str, outcomes: Mapping[str, int], reasons: Mapping[str, int]) -> None:
    """Count what became of a committed batch: its records by outcome, and the failed among them by reason."""
    for outcome, records in outcomes.items():
        RECORDS.labels(stage, outcome).inc(records)
    for reason, records in reasons.items():
        FAILED.labels(stage, reason).inc(records)
