"""A quiet topic, beside a stage that has nothing to do."""

from __future__ import annotations

import threading
from pathlib import Path

from streaming.faust import quiet
from streaming.faust.app import EngineSettings, StageApp, make_app
from streaming.stage import Failure, Message, Stage
from streaming.topics import TopicSpec, apply, lag


class Quiet:
    """A quiet topic, its agent in an app of its own, and what the agent was given."""

    def __init__(self, bootstrap: str, prefix: str, home: Path) -> None:
        self.bootstrap, self.group, self.topic, self.home = bootstrap, f"{prefix}quiet", f"{prefix}answers", home
        self.taken: list[tuple[int, bytes | None]] = []
        self.failures: list[Failure] = []
        self.stage = Stage("idle", f"{prefix}idle", f"{prefix}idle.failed", lambda _: None, changelog=f"{prefix}state")
        named = [self.stage.source, self.stage.failed, f"{prefix}state", self.topic]
        apply(bootstrap, [TopicSpec(name, 2) for name in named])

    def take(self, message: Message) -> None:
        self.taken.append((message.partition(), message.value()))

    def app(self, ready: threading.Event) -> StageApp:
        settings = EngineSettings(bootstrap=self.bootstrap, group=self.group, instance="one", data_dir=self.home)
        app = make_app(self.stage, settings, on_ready=ready.set)
        quiet.take(app, self.topic, self.take, self.failures.append)
        return app

    def behind(self) -> int:
        return sum(part.records for part in lag(self.bootstrap, f"{self.group}.agents", [self.topic]))
