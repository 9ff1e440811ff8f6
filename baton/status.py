"""`baton status`: what a running Baton says of itself."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from baton.settings import Settings
from baton.up import state, words
from baton.up.health import Health, health
from baton.up.snapshot import StageSample
from baton.up.stages import STAGES, read_workers, stage_sample
from baton.up.state import Running

_SHOWN = (*STAGES, "sales")
_OVER = 1.0  # seconds that rates are taken over


@dataclass(frozen=True, slots=True)
class Status:
    """What runs and how it stands. `health`: by name of the worker."""

    running: Running
    stages: tuple[StageSample, ...]
    health: dict[str, Health]

    @property
    def why(self) -> dict[str, str]:
        """Why workers are not ready, by their names."""
        return {name: one.why for name, one in self.health.items() if not one.ready}

    @property
    def stopped(self) -> list[str]:
        """Stages that their breakers stopped: they go on by an operator's word."""
        return sorted({_stage(name) for name, one in self.health.items() if one.stopped(_stage(name))})

    def document(self) -> dict[str, Any]:
        """As `baton status --json` prints it: the keys of `ready`, lag and rates, and why who is not ready."""
        stages = [asdict(stage) for stage in self.stages]
        ready = {name: one.ready for name, one in self.health.items()}
        return self.running.ready_event() | {"event": "status", "stages": stages, "ready": ready, "why": self.why}

    def rows(self) -> list[list[Any]]:
        """As a table."""
        rows = []
        for stage in self.stages:
            mine = [one.ready for name, one in self.health.items() if _stage(name) == stage.name]
            pids = ", ".join(map(str, self.running.pids.get(stage.name, [])))
            ready = "yes" if mine and all(mine) else "no"
            rows.append(
                [stage.name, ready, stage.records, f"{stage.per_second:.1f}", words.lag(stage.lag), stage.failed, pids]
            )
        return rows


def look(settings: Settings) -> Status:
    """Take a look of about a second. Raises `Refusal` where nothing runs."""
    running = state.found(settings.data_dir)
    workers = [(_stage(name), address) for name, address in running.probes.items()]
    with httpx.Client(timeout=2.0) as client:
        before, began = read_workers(client, workers), time.monotonic()
        time.sleep(_OVER)
        after, seconds = read_workers(client, workers), time.monotonic() - began
    stages = tuple(stage_sample(name, after.get(name, []), before.get(name, []), seconds) for name in _SHOWN)
    return Status(running, stages, {name: health(address) for name, address in running.probes.items()})


def _stage(worker: str) -> str:
    """The stage of a worker's name: `ingest` of `ingest-1`."""
    stage, _, number = worker.rpartition("-")
    return stage if number.isdigit() else worker
