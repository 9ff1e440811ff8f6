"""A stage that its breaker stopped is seen where nobody looks at a terminal, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.embedded.ports import free_port
from baton.settings import Settings
from baton.status import look
from baton.up import plain, state
from baton.up.breakers import Breakers
from baton.up.health import health
from baton.up.snapshot import Snapshot, StageSample
from streaming.probes import Probes, Readiness

WHY = "100 records in a row failed (schema_violation × 100); tries again every 60 s"


def snapshot(*, stopped: bool, workers: int = 1) -> Snapshot:
    stage = StageSample("scoring", 7, 0.0, None, None, 3, 2, workers, breaker_open=stopped)
    return Snapshot(datetime(2026, 11, 2, tzinfo=UTC), 1.0, (stage,))


@pytest.fixture
def stopped() -> Iterator[str]:
    """The address of a worker of scoring that stands still."""
    readiness = Readiness()
    readiness.set("scoring.assigned", ok=True)
    readiness.set("scoring.breaker", ok=False, why=WHY)
    with Probes(readiness) as probes:
        yield probes.url


@pytest.fixture
def up(stopped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a worker that is ready, beside the one that stands still, in a run file."""
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path))
    away = f"http://127.0.0.1:{free_port()}"
    running = state.Running(
        pid=os.getpid(), born=state.born(os.getpid()), collector=away, sales=away, kafka="k", database_url="d",
        metrics=[], pids={"scoring": [1]}, data_dir=str(tmp_path), probes={"scoring-1": stopped, "routing-1": away},
    )  # fmt: skip
    state.write(tmp_path, running)
    return away


def test_that_a_stage_stops_and_goes_on_is_said_once_with_the_reason_and_the_mend() -> None:
    notices: list[str] = []
    breakers = Breakers(lambda stage: f"{stage} {WHY}", notices.append)
    for one in (snapshot(stopped=False), *[snapshot(stopped=True)] * 3, *[snapshot(stopped=False)] * 2):
        breakers.look(one)

    assert notices == [
        f"scoring has stopped: scoring {WHY}. To let it go on: baton resume scoring",
        "scoring goes on",
    ]


def test_a_stage_whose_workers_say_nothing_is_not_said_to_go_on() -> None:
    notices: list[str] = []
    breakers = Breakers(lambda _: WHY, notices.append)
    for one in (snapshot(stopped=True), snapshot(stopped=False, workers=0), snapshot(stopped=True)):
        breakers.look(one)

    assert len(notices) == 1


def test_plain_lines_say_which_stage_stands_still() -> None:
    assert "scoring 7 (0.0/s, lag 3, failed 2, stopped: too much fails)" in plain.summary(snapshot(stopped=True))[0]
    assert "stopped" not in plain.summary(snapshot(stopped=False))[0]


def test_a_worker_that_is_not_ready_says_why(stopped: str) -> None:
    silent = health(f"http://127.0.0.1:{free_port()}")
    with Probes(Readiness()) as ready:
        assert health(ready.url).ready
        assert health(ready.url).unmet == {}

    assert health(stopped).unmet == {"scoring.breaker": WHY}
    assert (silent.ready, silent.why) == (False, "it does not answer")


def test_status_says_why_a_stage_is_not_ready_and_what_lets_it_go_on(up: str) -> None:
    result = CliRunner().invoke(app, ["status"])
    document = look(Settings()).document()

    assert result.exit_code == 0, "something runs; exit 1 is for nothing"
    assert f"scoring-1 is not ready: scoring.breaker: {WHY}" in result.output
    assert "To let it go on: baton resume scoring" in result.output
    assert "routing-1 is not ready: it does not answer" in result.output
    assert document["ready"] == {"scoring-1": False, "routing-1": False}
    assert document["why"] == {"scoring-1": f"scoring.breaker: {WHY}", "routing-1": "it does not answer"}
