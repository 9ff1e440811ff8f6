"""A worker that does not come up ends, instead of standing there until somebody sees it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streaming.faust.app import EngineSettings, make_app
from streaming.faust.engine import Engine
from streaming.faust.faults import EngineBroken
from streaming.faust.watchdog import EXIT_HUNG
from streaming.faust.worker import demand_up
from streaming.stage import Stage
from tests.integration.engine.kafka_driver import Running
from tests.waiting import until

PROGRAM = """
import asyncio, os, signal, sys
from pathlib import Path
from streaming.faust import worker
from streaming.faust.app import EngineSettings, make_app
from streaming.stage import Stage

async def wait():
    if sys.argv[2] == "hangs":
        await asyncio.Event().wait()
    if sys.argv[2] == "leaves":
        os.kill(os.getpid(), signal.SIGTERM)
        while not app.should_stop:
            await asyncio.sleep(0.01)
    app.loop.call_later(2, os.kill, os.getpid(), signal.SIGTERM)

worker.START_SECONDS = float(sys.argv[3])
stages = [Stage("idle", "in", "idle.failed", lambda _: None)] if sys.argv[2] == "leaves" else []
app = make_app(stages, EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=Path(sys.argv[1])))
app.on_first_start = wait
sys.exit(worker.run(app))
"""


@pytest.mark.parametrize(("what", "limit", "code"), [("hangs", 1, EXIT_HUNG), ("starts", 1, 0), ("leaves", 60, 0)])
def test_a_worker_whose_app_does_not_come_up_ends_and_others_end_as_they_are_told(
    what: str, limit: float, code: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), what, str(limit)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code, ended.stderr


BROKEN = """
import asyncio, logging, sys
from pathlib import Path
from streaming.faust import engine, worker
from streaming.faust.app import EngineSettings, make_app
from streaming.faust.faults import EngineBroken
from streaming.stage import Stage

def broken(_):
    raise EngineBroken("remove the position")

logging.basicConfig(format="%(levelname)s %(message)s")
async def hang():
    await asyncio.Event().wait()

engine.Engine._demand_topics = broken
stage = Stage("idle", "in", "idle.failed", lambda _: None)
seconds = 1 if sys.argv[2:] == ["hangs"] else 20
settings = EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=Path(sys.argv[1]), exit_timeout_seconds=seconds)
app = make_app([stage], settings)
if sys.argv[2:] == ["hangs"]:
    app.on_stop = hang
sys.exit(worker.run(app))
"""


def test_a_stage_that_a_person_has_to_mend_ends_with_the_sentence_that_says_how_and_nothing_else(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", BROKEN, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert ended.stderr == "CRITICAL idle: the stage ends: remove the position\n"


def test_an_app_that_hangs_when_its_stage_has_ended_ends_its_process_all_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BROKEN, str(tmp_path), "hangs"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == EXIT_HUNG
    assert "the stage ends: remove the position" in ended.stderr


def test_a_process_that_is_not_a_worker_outlives_a_stage_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Engine) -> None:
        raise EngineBroken("remove the position")

    monkeypatch.setattr(Engine, "_demand_topics", broken)
    stage = Stage("idle", "in", "idle.failed", lambda _: None)
    running = Running(make_app([stage], EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path)))
    until(lambda: running.app.crash_reason, 30, "the app to hear of it")
    running.stop()

    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_what_comes_up_in_time_is_left_alone() -> None:
    up, ended = threading.Event(), threading.Event()
    up.set()
    demand_up(up, 0.01, ended.set)
    assert not ended.is_set()
    demand_up(threading.Event(), 0.01, ended.set)
    assert ended.is_set()
