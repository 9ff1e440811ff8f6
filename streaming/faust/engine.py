"""A stage as a service of a Faust app: a thread that holds one session after the other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from confluent_kafka import KafkaException
from mode import Service

from streaming.faust.cluster import demand_entry
from streaming.faust.external import StoreKeeper
from streaming.faust.faults import EngineBroken, LeftOutside, SessionLost, Unanswered
from streaming.faust.keeper import Keeper
from streaming.faust.offsets import demand_partitions, demand_topics
from streaming.faust.owners import FormerOwners
from streaming.faust.session import Session
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.transaction import KafkaKeeper
from streaming.faust.watchdog import Watchdog, end_process
from streaming.probes import Readiness
from streaming.stage import Stage

log = logging.getLogger(__name__)

TOPIC_PATIENCE_SECONDS = 30.0
LOST_LIMIT, LOST_WINDOW_SECONDS = 5, 300.0
"""So many sessions lost within that time: something is wrong that a new one does not mend."""
PAUSE_AFTER_LOSS_SECONDS = 1.0


class Engine(Service):
    """Runs one stage until it is stopped; crashes, and with it the worker, where nothing mends what happened."""

    def __init__(
        self,
        stage: Stage,
        settings: EngineSettings,
        readiness: Readiness,
        on_ready: Callable[[], None] = lambda: None,
        on_crash: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stage, self.settings = stage, settings
        self.watchdog = Watchdog()
        self.status = Status(stage.name, settings.breaker(), readiness, on_ready)
        self.rounds = self.sessions = 0
        self._on_crash = on_crash
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name=f"stage-{stage.name}", daemon=True)
        self._lost: deque[float] = deque(maxlen=LOST_LIMIT)
        self._former = FormerOwners(settings, self.watchdog)

    async def on_start(self) -> None:
        """Start the thread."""
        self.watchdog.start()
        self._thread.start()

    async def on_stop(self) -> None:
        """Let it settle the round in hand and leave the group."""
        self._stop.set()
        if not self.started:  # the app was told to stop before it came to it
            return
        self.watchdog.hurry(self.settings.exit_timeout_seconds / 4)  # a broker that does not answer ends no transaction
        await asyncio.to_thread(self._thread.join, self.settings.exit_timeout_seconds)
        if self._thread.is_alive():
            log.critical("%s: the round in hand was not settled in time: the process ends", self.stage.name)
            end_process()
        self.watchdog.close()

    def close_breaker(self, allowance: int = 0) -> str:
        """An operator's word: go on at once, and let so many failures pass. See `Status.close_breaker`."""
        return self.status.close_breaker(allowance)

    def _main(self) -> None:
        try:
            self._demand_topics()
            while not self._stop.is_set():
                self._session()
        except EngineBroken as why:  # a person mends it, and needs the sentence alone
            log.critical("%s: the stage ends: %s", self.stage.name, why)
            self.loop.call_soon_threadsafe(self._fail, why)
        except Exception as error:
            log.exception("%s: the stage ends", self.stage.name)
            self.loop.call_soon_threadsafe(self._fail, error)

    def _session(self) -> None:
        session = Session(self.stage, self.settings, self._keeper(), self.status, self.watchdog)
        self.sessions += 1
        try:
            with self.watchdog.limit("joining", self._patience):
                session.open()
            while not self._stop.is_set():
                with self.watchdog.limit("a step", self._patience):
                    session.step()
            with self.watchdog.limit("the last state", self._patience):
                session.keeper.tend(session.assignment, leaving=True)
        except LeftOutside as why:  # nobody has robbed it, whatever its name
            self._pause_after(str(why))
        except SessionLost as why:
            self._note_loss(str(why))
        except KafkaException as error:
            self._note_loss(str(error.args[0]))
        finally:
            self.rounds += session.rounds
            session.close()

    @property
    def _patience(self) -> float:
        """Seconds after which a step hangs: one may wait for the transactions of two workers that died, and its own."""
        return 3 * self.settings.settle_timeout_seconds + 30

    def _note_loss(self, why: str) -> None:
        now = monotonic()
        if self._stop.is_set():  # it is leaving: whoever goes on with its partitions aborts what is open
            log.warning("%s: session lost (%s)", self.stage.name, why)
            return
        if len(self._lost) == LOST_LIMIT and now - self._lost[0] < LOST_WINDOW_SECONDS:
            raise EngineBroken(
                f"{LOST_LIMIT + 1} sessions were lost within {LOST_WINDOW_SECONDS:.0f} s, the last since {why}. "
                f"Is another worker alive that is named {self.settings.instance} too?"
            )
        self._lost.append(now)
        self._pause_after(why)

    def _pause_after(self, why: str) -> None:
        self.status.lost(why)
        log.warning("%s: session lost (%s): joining anew", self.stage.name, why)
        self._stop.wait(PAUSE_AFTER_LOSS_SECONDS)

    def _keeper(self) -> Keeper:
        if self.stage.store is not None:
            return StoreKeeper(self.stage, self.stage.store, self.settings, self.watchdog)
        return KafkaKeeper(self.stage, self.settings, self.watchdog, self._former)

    def _demand_topics(self) -> None:
        stage = self.stage
        names = [name for name in (stage.source, stage.failed, stage.changelog, *stage.outputs) if name is not None]
        asker = self.settings.offset_reader("read_uncommitted")
        try:
            demand_partitions(stage, demand_topics(asker, names, TOPIC_PATIENCE_SECONDS))
        except Unanswered:
            demand_entry(self.settings)
            raise
        finally:
            asker.close()

    def _fail(self, error: BaseException) -> None:
        """Stop the worker, and not with 0."""
        self._stop.set()
        self._on_crash()
        self.add_future(self.crash(error))
