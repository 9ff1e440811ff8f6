"""A Faust app with stages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, cast

import faust
from faust.app import BootStrategy

from streaming.faust.credentials import credentials
from streaming.faust.engine import Engine
from streaming.faust.inner import CommittedTransport
from streaming.faust.settings import EngineSettings
from streaming.probes import Readiness
from streaming.stage import Stage

__all__ = ["EngineSettings", "StageApp", "make_app"]


class StageBoot(BootStrategy):
    """Starts what the app needs: no web server, and no clients of Faust's where no agent reads.

    Engines come first: the group of a quiet topic may take long to settle, and no stage waits for that.
    """

    enable_web = False

    def server(self) -> Iterable[Any]:
        """Services to start; called once agents are known."""
        if not self.app.agents:
            self.enable_kafka = False
        engines = cast("StageApp", self.app).engines
        for engine in engines:
            engine.loop = self.app.loop
        return chain(engines, super().server())


class StageApp(faust.App):
    """Faust's app, with an engine for each stage. Ordinary agents may be declared on it for quiet topics."""

    BootStrategy = StageBoot

    def __init__(
        self,
        stages: Sequence[Stage],
        settings: EngineSettings,
        *,
        on_ready: Callable[[], None] | None = None,
        readiness: Readiness | None = None,
    ) -> None:
        """See `make_app`."""
        self.readiness = readiness if readiness is not None else Readiness()
        self.settings = settings
        self.up = threading.Event()
        """Set once everything of Faust's has started, after the engines."""
        self._unready = len(stages)
        self._when_ready: list[Callable[[], object]] = [] if on_ready is None else [on_ready]
        self._when_crashed: list[Callable[[], object]] = []
        self.engines = [self._engine(stage, len(stages) > 1) for stage in stages]
        address = settings.address()
        address.kafka_python_config()  # refuses now what `cluster` could not get in with
        super().__init__(
            f"{settings.group}.agents",
            broker=[f"kafka://{server}" for server in address.servers],
            broker_credentials=credentials(address),
            datadir=str(settings.data_dir),
            store="memory://",
            autodiscover=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            key_serializer="raw",
            value_serializer="raw",
            consumer_auto_offset_reset="earliest",
            broker_session_timeout=settings.session_timeout_seconds,
            broker_heartbeat_interval=max(0.5, settings.session_timeout_seconds / 6),
            broker_rebalance_timeout=max(settings.session_timeout_seconds, 60.0),
            broker_commit_interval=1.0,
            producer_acks=-1,
            producer_request_timeout=30.0,
            producer_linger=0.005,
            stream_wait_empty=False,
            web_enabled=False,
        )
        self.transport = CommittedTransport(self.conf.broker_consumer, self)

    async def on_started(self) -> None:
        """Say that the app is up."""
        await super().on_started()
        self.up.set()

    async def on_stop(self) -> None:
        """Stop the engines first: what they have in hand is not to wait for Faust's clients to leave."""
        for engine in self.engines:
            await engine.stop()
        await super().on_stop()

    def when_ready(self, call: Callable[[], object]) -> None:
        """Call this too when every stage is ready for the first time."""
        self._when_ready.append(call)

    def when_crashed(self, call: Callable[[], object]) -> None:
        """Call this, too, when a stage ends by a fault: the app stops then."""
        self._when_crashed.append(call)

    def close_breakers(self, allowance: int = 0) -> dict[str, str]:
        """An operator's word: every stage that its breaker stopped goes on at once, and so many failures pass.

        May be called from any thread. Gives, by stage, why it stood still; an empty text where it did not.
        """
        return {engine.stage.name: engine.close_breaker(allowance) for engine in self.engines}

    def _engine(self, stage: Stage, several: bool) -> Engine:  # noqa: FBT001
        settings = self.settings
        if several:
            settings = replace(settings, group=f"{settings.group}-{stage.name}")
        return Engine(stage, settings, self.readiness, self._one_ready, self._tell_of_crash)

    def _tell_of_crash(self) -> None:
        for call in self._when_crashed:
            call()

    def _one_ready(self) -> None:
        self._unready -= 1
        if self._unready == 0:
            for call in self._when_ready:
                call()


def make_app(
    stages: Sequence[Stage] | Stage,
    settings: EngineSettings,
    *,
    on_ready: Callable[[], None] | None = None,
    readiness: Readiness | None = None,
) -> StageApp:
    """Make an app that runs `stages`.

    `on_ready` is called once, in an engine's thread, when every stage is assigned and recovered for the first time.
    `readiness` gets the conditions `<stage>.assigned`, `<stage>.recovered`, `<stage>.breaker` and `<stage>.settling`.
    Of several stages each has a group of its own, `<group>-<stage>`.
    """
    return StageApp([stages] if isinstance(stages, Stage) else stages, settings, on_ready=on_ready, readiness=readiness)
