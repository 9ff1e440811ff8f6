"""One worker: a process of its own that is started, watched and restarted with backoff."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from baton.embedded.child import end

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the first restart, doubled with each further one."""
SETTLED = 60.0
"""Seconds that a worker must live for its restarts to be forgotten."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What to run. `probes` is the address of its `/readyz` and `/metrics`; None where it has none."""

    name: str
    stage: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    probes: str | None = None
    restart: bool = True


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that ended by itself; `again_in` seconds it is started again, or never (None)."""

    worker: str
    code: int
    again_in: float | None

    def __str__(self) -> str:
        how = f"signal {signal.Signals(-self.code).name}" if self.code < 0 else f"exit code {self.code}"
        if self.again_in is None:
            return f"{self.worker} has ended ({how})"
        return f"{self.worker} died ({how}); starts again in {self.again_in:g} s"


Spawn = Callable[[WorkerSpec], "subprocess.Popen[bytes]"]


def backoff(restarts: int) -> float:
    """Seconds to wait before restart number `restarts` (from 0)."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(restarts, 16)))


class Worker:
    """A worker's process, over all its lives."""

    def __init__(self, spec: WorkerSpec, spawn: Spawn, clock: Callable[[], float] = time.monotonic) -> None:
        self.spec, self._spawn, self._clock = spec, spawn, clock
        self.restarts = 0
        self._streak = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._since = 0.0
        self._due: float | None = None

    @property
    def pid(self) -> int | None:
        """Of the living process."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it now."""
        self._due = None
        self._since = self._clock()
        self._process = self._spawn(self.spec)

    def tend(self) -> Death | None:
        """Notice a death, or start again when it is time to. To be called every fraction of a second."""
        now = self._clock()
        if self._due is not None:
            if now >= self._due:
                self.restarts += 1
                self.start()
            return None
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._process = None
        if not self.spec.restart:
            return Death(self.spec.name, code, None)
        self._streak = 0 if now - self._since >= SETTLED else self._streak
        pause = backoff(self._streak)
        self._streak += 1
        self._due = now + pause
        return Death(self.spec.name, code, pause)

    def ask_to_stop(self) -> None:
        """SIGTERM: finish what is in hand; it is not started again."""
        self._due = None
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, seconds: float) -> bool:
        """SIGTERM, wait so long, SIGKILL. True where it stopped by itself."""
        self._due = None
        process, self._process = self._process, None
        return process is None or end(process, first=signal.SIGTERM, seconds=max(seconds, 0.0))


def log_of(log_dir: Path, worker: str) -> Path:
    """Where the output of a worker goes."""
    return log_dir / f"{worker}.log"


def spawner(log_dir: Path, *, tie: signal.Signals) -> Spawn:
    """Start workers whose output goes to `log_dir`/<name>.log; they get the signal `tie` when this process dies."""
    from baton.embedded.child import spawn

    def start(spec: WorkerSpec) -> subprocess.Popen[bytes]:
        return spawn(
            spec.command,
            log=log_of(log_dir, spec.name),
            ends_with=tie,
            environment={**os.environ, **spec.environment},
        )

    return start
