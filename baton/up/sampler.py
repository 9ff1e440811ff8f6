"""Takes a snapshot of what runs, again and again, in a thread: the view never waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from baton.up import ledger_view, readings
from baton.up.readings import Reading
from baton.up.snapshot import QueueSample, RoutedSample, Snapshot, StageSample

EVERY = 1.0
"""Seconds between two snapshots."""
_WINDOW = 10
"""Snapshots that rates and latencies are taken over."""
STAGES = ("collector", "ingest", "scoring", "routing")

Read = Callable[[], Mapping[str, list[Reading]]]
"""Readings of the workers of each stage."""


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


class Sampler:
    """Keeps the last readings, and makes snapshots of them. `weighted`: queues in which shares are due by weight."""

    def __init__(
        self,
        read: Read,
        engine: Engine | None,
        weighted: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._engine, self._weighted, self._clock = read, engine, weighted, clock
        self._began = clock()
        self._history: deque[tuple[float, Mapping[str, list[Reading]]]] = deque(maxlen=_WINDOW)
        self._queues: tuple[QueueSample, ...] = ()
        self._routed: tuple[RoutedSample, ...] = ()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.latest = Snapshot(datetime.now(UTC), 0.0)

    def known(self) -> set[str]:
        """Ids of assignments that are there already: those of earlier runs are no news."""
        if self._engine is None:
            return set()
        return {lead.assignment_id for lead in ledger_view.last_routed(self._engine)}

    def start(self) -> None:
        """Take snapshots from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.latest = self.sample()
            self._stopping.wait(EVERY)

    def sample(self) -> Snapshot:
        """A snapshot of now. A database that is away leaves what was known of it."""
        now = self._clock()
        self._history.append((now, self._read()))
        if self._engine is not None:
            # That the database is away is said by the routing worker's readiness.
            with suppress(SQLAlchemyError):
                self._queues = ledger_view.queues(self._engine, self._weighted)
                self._routed = ledger_view.last_routed(self._engine)
        then, old = self._history[0]
        new = self._history[-1][1]
        return Snapshot(
            at=datetime.now(UTC),
            uptime=now - self._began,
            stages=tuple(stage_sample(name, new.get(name, []), old.get(name, []), now - then) for name in STAGES),
            queues=self._queues,
            routed=self._routed,
            handoff=_handoff(new.get("routing", [])),
        )


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
        lag=int(readings.total(new, "baton_consumer_lag_records", stage=stage)),
        failed=int(readings.total(new, "baton_failed_total", stage=stage)),
        workers=len(new),
        breaker_open=readings.total(new, "baton_breaker_open", stage=stage) > 0,
    )


def _handoff(routing: list[Reading]) -> tuple[float, float] | None:
    counts = readings.buckets(routing, "baton_handoff_seconds")
    p50, p99 = readings.quantile(counts, 0.5), readings.quantile(counts, 0.99)
    return None if p50 is None or p99 is None else (p50, p99)
