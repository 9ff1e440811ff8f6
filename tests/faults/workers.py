"""Workers as processes, and the supervisor that starts again whoever ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.faults.patience import Patience

ROOT = Path(__file__).parents[2]
BACKOFF_SECONDS, BACKOFF_LIMIT_SECONDS = 0.5, 4.0
HEALTHY_SECONDS = 20.0
WEIGH_SECONDS = 2.0


@dataclass
class Worker:
    """A worker that is wanted, or not just now; it has a new process after each end."""

    stage: str
    instance: str
    command: Sequence[str]
    environment: Mapping[str, str]
    logs: Path
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    lives: int = 0
    _started: float = 0.0
    _backoff: float = BACKOFF_SECONDS
    _due: float = 0.0

    def start(self) -> None:
        self.wanted, self.lives, self._started, self._due = True, self.lives + 1, time.monotonic(), 0.0
        with (self.logs / f"{self.stage}-{self.instance}.log").open("ab") as log:
            log.write(b"---- life %d\n" % self.lives)
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment}
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, what: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(what)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def ask_to_leave(self) -> None:
        """SIGTERM; it is not started again until it is told to."""
        self.wanted = False
        self.signal(signal.SIGTERM)

    def leave(self, seconds: float = 60.0) -> int | None:
        """SIGTERM, and the exit code; None where it had to be killed."""
        self.ask_to_leave()
        return self.left(seconds)

    def left(self, seconds: float = 60.0) -> int | None:
        """The exit code of one that was asked to leave; None where it had to be killed."""
        if self.process is None:
            return 0
        patience = Patience(seconds)
        while not patience.over:
            with suppress(subprocess.TimeoutExpired):
                return self.process.wait(0.5)
        self.kill()
        return None

    def tend(self) -> int | None:
        """The exit code of a process that ended by itself or was killed; starts the next, later after each failure."""
        if not self.wanted or self.process is None:
            return None
        code, now = self.process.poll(), time.monotonic()
        if code is None:
            return None
        if not self._due:
            if now - self._started > HEALTHY_SECONDS:
                self._backoff = BACKOFF_SECONDS
            self._due, self._backoff = now + self._backoff, min(BACKOFF_LIMIT_SECONDS, self._backoff * 2)
            return code
        if now >= self._due:
            self._due = 0.0
            self.start()
        return None


@dataclass
class Crew:
    """All workers, watched in a thread."""

    workers: list[Worker] = field(default_factory=list)
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    largest: dict[str, int] = field(default_factory=dict)
    """Bytes that a worker of the stage had in memory at most, by stage."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def of(self, stage: str) -> list[Worker]:
        with self.lock:
            return [worker for worker in self.workers if worker.stage == stage]

    def add(self, worker: Worker) -> None:
        with self.lock:
            self.workers.append(worker)
            worker.start()

    def remove(self, worker: Worker) -> None:
        with self.lock:
            self.workers.remove(worker)

    def watch(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        weighed = 0.0
        while not self._stop.wait(0.1):
            with self.lock:
                for worker in self.workers:
                    code = worker.tend()
                    if code is not None:
                        self.exits[worker.stage, code] += 1
                if time.monotonic() - weighed > WEIGH_SECONDS:
                    weighed = time.monotonic()
                    self._weigh()

    def _weigh(self) -> None:
        for worker in self.workers:
            with suppress(psutil.Error):
                if worker.process is not None:
                    held = psutil.Process(worker.process.pid).memory_info().rss
                    self.largest[worker.stage] = max(self.largest.get(worker.stage, 0), held)

    def end(self) -> dict[str, int | None]:
        """Stop all in order, and give the exit codes; None where one did not stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for worker in self.workers:
            worker.signal(signal.SIGCONT)
            worker.ask_to_leave()
        return {f"{worker.stage}-{worker.instance}": worker.left() for worker in self.workers}

    def kill(self) -> None:
        """Leave nothing behind."""
        self._stop.set()
        for worker in self.workers:
            worker.signal(signal.SIGCONT)
            worker.kill()
