"""All workers together: started, waited for, restarted, stopped in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from baton.refusal import NO, Refusal
from baton.up.health import health
from baton.up.worker import Spawn, Worker, WorkerSpec

Notify = Callable[[str], None]
Ready = Callable[[str], bool]

STOP_ORDER: tuple[tuple[str, ...], ...] = (("traffic",), ("collector", "sales"), ("ingest", "scoring", "routing"))
"""Who is asked to stop first: what brings work, then the doors, then the stages, which finish what they have."""
_TRIES = 3
_PATIENCE = 8.0  # seconds, for each group: stages that get no time leave without writing their state


def answers_ready(address: str) -> bool:
    """Whether the worker at `address` says that it may be given work."""
    return health(address).ready


class Supervisor:
    """Workers, watched. All methods are to be called from one thread."""

    def __init__(
        self,
        spawn: Spawn,
        notify: Notify,
        *,
        ready: Ready = answers_ready,
        last_words: Callable[[str], str] = lambda _: "",
        log_of: Callable[[str], str] = lambda _: "",
        why: Callable[[str], str] = lambda _: "",
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spawn, self._notify, self._ready, self._last_words = spawn, notify, ready, last_words
        self._log_of, self._why = log_of, why
        self._clock, self._pause = clock, pause
        self.workers: list[Worker] = []

    def start(self, specs: Iterable[WorkerSpec], *, within: float, stopped: Callable[[], bool] = lambda: False) -> None:
        """Start workers and wait until each is ready.

        Those of one stage come one after the other, so that they do not all join their group at the same moment.
        Raises `Refusal` where one dies again and again, or is not ready in time.
        """
        deadline = self._clock() + within
        queues: dict[str, list[WorkerSpec]] = {}
        for spec in specs:
            queues.setdefault(spec.stage, []).append(spec)
        starting: list[Worker] = []
        while (queues or starting) and not stopped():
            busy = {worker.spec.stage for worker in starting}
            for stage in [stage for stage in queues if stage not in busy]:
                starting.append(self._begin(queues[stage].pop(0)))
                if not queues[stage]:
                    del queues[stage]
            self.tend()
            starting = [worker for worker in starting if not self._is_ready(worker)]
            for worker in starting:
                if worker.restarts >= _TRIES:
                    name = worker.spec.name
                    raise Refusal(f"{name} ends as soon as it starts; {self._said_by(name)}", "", NO)
            if starting and self._clock() > deadline:
                names = ", ".join(worker.spec.name for worker in starting)
                words = self._said_by(starting[0].spec.name)
                raise Refusal(f"not ready within {within:g} s: {names}; {words}", "", NO)
            if starting:
                self._pause(0.1)

    def tend(self) -> None:
        """Restart what has died, and say so."""
        for worker in self.workers:
            restarts = worker.restarts
            death = worker.tend()
            if death is not None:
                log, why = self._log_of(death.worker), self._why(death.worker) if death.code > 0 else ""
                words = f"{death}: {why}" if why else str(death)
                self._notify(f"{words}; its log: {log}" if log else words)
            elif worker.restarts > restarts:
                self._notify(f"{worker.spec.name} is started again (process {worker.pid})")

    def pids(self) -> dict[str, list[int]]:
        """Process ids by stage."""
        found: dict[str, list[int]] = {}
        for worker in self.workers:
            if worker.pid is not None:
                found.setdefault(worker.spec.stage, []).append(worker.pid)
        return found

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop in order; who does not within a few seconds, or at once when `hurry` says so, is killed."""
        named = {stage for group in STOP_ORDER for stage in group}
        rest = tuple({worker.spec.stage for worker in self.workers} - named)
        for group in (*STOP_ORDER, rest):
            workers = [worker for worker in self.workers if worker.spec.stage in group]
            deadline = self._clock() + _PATIENCE
            for worker in workers:
                worker.ask_to_stop()
            while any(worker.pid for worker in workers) and self._clock() < deadline and not hurry():
                self._pause(0.02)
            self._end(workers)

    def _end(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            if not worker.stop(0.0 if worker.pid else 1.0):
                self._notify(f"{worker.spec.name} did not stop in time and was killed")

    def _begin(self, spec: WorkerSpec) -> Worker:
        worker = Worker(spec, self._spawn, self._clock)
        self.workers.append(worker)
        worker.start()
        return worker

    def _said_by(self, name: str) -> str:
        log = self._log_of(name)
        whole = f"All of it is in {log}\n" if log else ""
        return f"last words:\n{self._last_words(name)}\n{whole}"

    def _is_ready(self, worker: Worker) -> bool:
        if worker.spec.probes is None:
            return True
        return worker.pid is not None and self._ready(worker.spec.probes)
