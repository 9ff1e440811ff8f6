"""What stages did, of what their workers say at `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from baton.up import readings
from baton.up.readings import Reading
from baton.up.snapshot import StageSample

STAGES = ("collector", "ingest", "scoring", "routing")
_LAG = "baton_consumer_lag_records"


def read_workers(client: httpx.Client, workers: Iterable[tuple[str, str]]) -> dict[str, list[Reading]]:
    """What the workers (stage, address) say at `/metrics`; who does not answer is left out."""
    found: dict[str, list[Reading]] = {}
    for stage, address in workers:
        try:
            answer = client.get(f"{address}/metrics")
            answer.raise_for_status()
            found.setdefault(stage, []).append(readings.parse(answer.text))
        except (httpx.HTTPError, ValueError):
            continue
    return found


def stage_sample(stage: str, new: list[Reading], old: list[Reading], seconds: float) -> StageSample:
    """What a stage did, of its workers' readings now and `seconds` ago."""
    records = readings.total(new, "baton_records_total", stage=stage)
    before = readings.total(old, "baton_records_total", stage=stage)
    rounds = readings.less(
        readings.buckets(new, "baton_batch_seconds", stage=stage),
        readings.buckets(old, "baton_batch_seconds", stage=stage),
    )
    return StageSample(
        name=stage,
        records=int(records),
        per_second=max(0.0, records - before) / seconds if seconds > 0 else 0.0,
        p50=readings.quantile(rounds, 0.5),
        p99=readings.quantile(rounds, 0.99),
        lag=int(readings.total(new, _LAG, stage=stage)) if readings.told(new, _LAG, stage=stage) else None,
        failed=int(readings.total(new, "baton_failed_total", stage=stage)),
        workers=len(new),
        breaker_open=readings.total(new, "baton_breaker_open", stage=stage) > 0,
    )


def handoff(routing: list[Reading]) -> tuple[float, float] | None:
    """p50 and p99, in seconds, of leads' way from capture to the sales queue; None before the first."""
    counts = readings.buckets(routing, "baton_handoff_seconds")
    p50, p99 = readings.quantile(counts, 0.5), readings.quantile(counts, 0.99)
    return None if p50 is None or p99 is None else (p50, p99)
