"""How many workers `baton up` starts, of what it was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from baton.settings import Settings
from baton.up import run
from baton.up.presenters import PlainPresenter
from baton.up.run import Options
from baton.up.servers import Servers
from baton.up.worker import WorkerSpec

CONFIG = Path(__file__).parents[3] / "config"
NOTICE = "the embedded broker takes one worker a stage; several need BATON_KAFKA"


class Started:
    """Stands in for the supervisor: notes what it is to start. Nothing runs, so nothing has to be stopped."""

    workers = ()

    def __init__(self) -> None:
        self.specs: list[WorkerSpec] = []

    def start(self, specs: Iterable[WorkerSpec], **_: Any) -> None:
        self.specs += specs

    def stop(self, **_: Any) -> None: ...

    def counts(self) -> dict[str, int]:
        found = Counter(spec.stage for spec in self.specs)
        return {stage: found[stage] for stage in ("ingest", "scoring", "routing")}


class Asked:
    """An operator who wants it to stop as soon as its workers were started."""

    def listen(self) -> None: ...

    def asked(self) -> bool:
        return True

    def hurry(self) -> bool:
        return False


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    made = Started()
    monkeypatch.setattr(run, "Supervisor", lambda *_, **__: made)
    monkeypatch.setattr(run, "Stopping", Asked)
    monkeypatch.setattr(run, "_provide", lambda *_: None)
    for name in ("start", "stop"):
        monkeypatch.setattr(Servers, name, lambda _: None)
    return made


def up(data_dir: Path, counts: dict[str, int], kafka: str | None = None) -> list[str]:
    """What `baton up` says, line by line."""
    lines: list[str] = []
    settings = Settings(
        data_dir=data_dir,
        config_dir=CONFIG,
        kafka=kafka,
        database_url="postgresql://nobody@nowhere/nothing",
        collector_port=0,
        sales_port=0,
        metrics_port=0,
    )
    assert run.up(settings, Options(counts), PlainPresenter(lines.append)) == 0
    return lines


def test_on_the_embedded_broker_a_stage_has_one_worker_whatever_was_asked_for(tmp_path: Path, started: Started) -> None:
    """It takes offsets of a member that the group has given up: two workers might both settle the same records."""
    said = up(tmp_path, {"ingest": 3, "scoring": 1, "routing": 2})

    assert started.counts() == {"ingest": 1, "scoring": 1, "routing": 1}
    assert said.count(NOTICE) == 1


def test_where_one_was_asked_for_nothing_is_said_of_it(tmp_path: Path, started: Started) -> None:
    said = up(tmp_path, {"ingest": 1, "scoring": 1, "routing": 1})

    assert started.counts() == {"ingest": 1, "scoring": 1, "routing": 1}
    assert NOTICE not in said


def test_on_another_broker_a_stage_has_as_many_workers_as_were_asked_for(tmp_path: Path, started: Started) -> None:
    said = up(tmp_path, {"ingest": 3, "scoring": 1, "routing": 2}, kafka="nowhere:1")

    assert started.counts() == {"ingest": 3, "scoring": 1, "routing": 2}
    assert NOTICE not in said
