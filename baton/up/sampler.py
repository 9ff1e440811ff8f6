"""Takes a snapshot of what runs, again and again, in a thread: the view never waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from baton.up import ledger_view
from baton.up.readings import Reading
from baton.up.snapshot import QueueSample, RoutedSample, Snapshot
from baton.up.stages import STAGES, handoff, stage_sample

EVERY = 1.0
"""Seconds between two snapshots."""
REST = 3.0
"""The same once the workers have said nothing new for a whole window: to ask them costs more than they have to do."""
IDLE_EVERY = 2 * REST
"""Seconds between two looks at the ledger while no worker has anything new to say: what changes it moves a metric."""
_WINDOW = 10
"""Snapshots that rates and latencies are taken over."""

Read = Callable[[], Mapping[str, list[Reading]]]
"""Readings of the workers of each stage."""


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
        self._looked = -IDLE_EVERY
        self._still = 0
        self._queues: tuple[QueueSample, ...] = ()
        self._routed: tuple[RoutedSample, ...] = ()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.latest = Snapshot(datetime.now(UTC), 0.0)

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
            self._stopping.wait(self.pause)

    @property
    def pause(self) -> float:
        """Seconds until the next snapshot."""
        return REST if self._still >= _WINDOW else EVERY

    def sample(self) -> Snapshot:
        """A snapshot of now. A database that is away leaves what was known of it."""
        now = self._clock()
        said, before = self._read(), self._history[-1][1] if self._history else None
        news = said != before
        if news and self._still >= _WINDOW:  # rates of what begins now are not those of the time before
            self._history = deque([self._history[-1]], maxlen=_WINDOW)
        self._history.append((now, said))
        self._still = 0 if news else self._still + 1
        if self._engine is not None and (news or now - self._looked >= IDLE_EVERY):
            # That the database is away is said by the routing worker's readiness.
            with suppress(SQLAlchemyError):
                self._queues = ledger_view.queues(self._engine, self._weighted)
                self._routed = ledger_view.last_routed(self._engine)
                self._looked = now
        then, old = self._history[0]
        new = self._history[-1][1]
        return Snapshot(
            at=datetime.now(UTC),
            uptime=now - self._began,
            stages=tuple(stage_sample(name, new.get(name, []), old.get(name, []), now - then) for name in STAGES),
            queues=self._queues,
            routed=self._routed,
            handoff=handoff(new.get("routing", [])),
        )
