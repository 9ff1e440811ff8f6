import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from baton.refusal import Refusal
from baton.up.supervisor import Supervisor
from baton.up.worker import LONGEST_PAUSE, Spawn, Worker, WorkerSpec, backoff, spawner


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


class FakeProcess:
    def __init__(self, code: int | None = None) -> None:
        self.pid, self.code = 4711, code
        self.signals: list[int] = []

    def poll(self) -> int | None:
        return self.code

    def send_signal(self, number: int) -> None:
        self.signals.append(number)
        self.code = 0


def spawning(made: Callable[[WorkerSpec], FakeProcess]) -> Spawn:
    return cast("Spawn", made)  # as much of a `Popen` as these tests need


class Lives:
    """The processes of a worker, one after the other."""

    def __init__(self) -> None:
        self.begun: list[FakeProcess] = []

    def __call__(self, _: WorkerSpec) -> FakeProcess:
        self.begun.append(FakeProcess())
        return self.begun[-1]


def spec(name: str, stage: str | None = None, **more: Any) -> WorkerSpec:
    return WorkerSpec(name, stage or name, ("true",), **more)


def test_pauses_before_a_restart_double_up_to_a_limit() -> None:
    assert [backoff(n) for n in range(4)] == [0.5, 1.0, 2.0, 4.0]
    assert backoff(1000) == LONGEST_PAUSE


def test_a_dead_worker_is_started_again_after_its_pause_and_not_before() -> None:
    clock, lives = Clock(), Lives()
    worker = Worker(spec("ingest-1"), spawning(lives), clock)
    worker.start()
    lives.begun[0].code = -9

    death = worker.tend()
    assert str(death) == "ingest-1 died (signal SIGKILL); starts again in 0.5 s"
    clock.now = 0.4
    assert worker.tend() is None
    assert len(lives.begun) == 1
    clock.now = 0.5
    worker.tend()

    assert (len(lives.begun), worker.restarts) == (2, 1)


def test_a_worker_that_lived_for_a_minute_begins_again_with_the_shortest_pause() -> None:
    clock, lives = Clock(), Lives()
    worker = Worker(spec("ingest-1"), spawning(lives), clock)
    worker.start()
    pauses: list[float] = []
    for lived in (0.0, 0.0, 61.0):
        clock.now += lived
        lives.begun[-1].code = 1
        death = worker.tend()
        assert death is not None
        assert death.again_in is not None
        pauses.append(death.again_in)
        clock.now += death.again_in
        worker.tend()

    assert pauses == [0.5, 1.0, 0.5]


def test_traffic_stops_first_then_the_doors_then_the_stages() -> None:
    clock = Clock()
    order: list[str] = []

    class Noting(FakeProcess):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def send_signal(self, number: int) -> None:
            order.append(self.name)
            super().send_signal(number)

    supervisor = Supervisor(spawning(lambda s: Noting(s.name)), print, clock=clock, pause=clock.pause)
    supervisor.start([spec(name) for name in ("scoring", "collector", "traffic", "ingest")], within=1)
    supervisor.stop()

    assert order == ["traffic", "collector", "scoring", "ingest"]


def test_workers_of_one_stage_wait_for_each_other() -> None:
    clock = Clock()
    started: list[str] = []
    ready: set[str] = set()

    def answers(address: str) -> bool:
        return address in ready

    def pause(seconds: float) -> None:
        clock.now += seconds
        ready.add(f"http://{started[-1]}")

    def spawn(one: WorkerSpec) -> FakeProcess:
        assert all(f"http://{name}" in ready for name in started if name.startswith(one.stage))
        started.append(one.name)
        return FakeProcess()

    supervisor = Supervisor(spawning(spawn), print, ready=answers, clock=clock, pause=pause)
    supervisor.start([spec(f"ingest-{n}", "ingest", probes=f"http://ingest-{n}") for n in (1, 2, 3)], within=10)

    assert started == ["ingest-1", "ingest-2", "ingest-3"]


def test_a_worker_that_dies_at_every_start_is_given_up_with_its_last_words() -> None:
    clock = Clock()
    supervisor = Supervisor(
        spawning(lambda _: FakeProcess(code=1)),
        lambda _: None,
        ready=lambda _: False,
        last_words=lambda name: f"{name} said: no such topic",
        clock=clock,
        pause=clock.pause,
    )

    with pytest.raises(Refusal, match="ingest-1 said: no such topic"):
        supervisor.start([spec("ingest-1", "ingest", probes="http://x")], within=60)


def test_who_dies_is_named_with_the_log_that_says_why() -> None:
    clock, lives = Clock(), Lives()
    notices: list[str] = []
    supervisor = Supervisor(spawning(lives), notices.append, log_of=lambda name: f"logs/{name}.log", clock=clock)
    supervisor.start([spec("sales")], within=1)
    lives.begun[0].code = 2
    supervisor.tend()

    assert notices == ["sales died (exit code 2); starts again in 0.5 s; its log: logs/sales.log"]


@pytest.mark.parametrize(("code", "said"), [(2, ": a.yaml:3: this is not YAML"), (-9, "")])
def test_a_notice_says_why_a_worker_ended_where_it_ended_itself(code: int, said: str) -> None:
    clock, lives, notices = Clock(), Lives(), list[str]()
    why = "a.yaml:3: this is not YAML"
    supervisor = Supervisor(spawning(lives), notices.append, why=lambda _: why, log_of=lambda _: "a.log", clock=clock)
    supervisor.start([spec("sales")], within=1)
    lives.begun[0].code = code
    supervisor.tend()

    how = "exit code 2" if code > 0 else "signal SIGKILL"
    assert notices == [f"sales died ({how}); starts again in 0.5 s{said}; its log: a.log"]


def test_the_refusal_of_a_worker_that_dies_at_every_start_names_its_log() -> None:
    clock = Clock()
    supervisor = Supervisor(
        spawning(lambda _: FakeProcess(code=1)), lambda _: None, ready=lambda _: False,
        log_of=lambda name: f"logs/{name}.log", clock=clock, pause=clock.pause,
    )  # fmt: skip

    with pytest.raises(Refusal, match=r"All of it is in logs/ingest-1\.log"):
        supervisor.start([spec("ingest-1", "ingest", probes="http://x")], within=60)


def test_real_processes_are_restarted_when_killed_and_stopped_when_asked(tmp_path: Path) -> None:
    notices: list[str] = []
    supervisor = Supervisor(spawner(tmp_path, tie=signal.SIGKILL), notices.append)
    command = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
    supervisor.start([WorkerSpec("ingest-1", "ingest", command)], within=5)
    [worker] = supervisor.workers
    first = worker.pid
    assert worker._process is not None
    worker._process.kill()

    deadline = time.monotonic() + 10
    while (worker.pid is None or worker.pid == first) and time.monotonic() < deadline:
        supervisor.tend()
        time.sleep(0.02)
    second = worker.pid
    supervisor.stop()

    assert second not in (None, first)
    assert worker.pid is None
    assert [text.split(" (")[0] for text in notices] == ["ingest-1 died", "ingest-1 is started again"]


def test_a_process_that_ignores_being_asked_is_killed_when_the_user_is_in_a_hurry(tmp_path: Path) -> None:
    notices: list[str] = []
    supervisor = Supervisor(spawner(tmp_path, tie=signal.SIGKILL), notices.append)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    supervisor.start([WorkerSpec("ingest-1", "ingest", (sys.executable, "-c", stubborn))], within=5)
    log, deadline = tmp_path / "ingest-1.log", time.monotonic() + 10
    while "up" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)

    supervisor.stop(hurry=lambda: True)

    assert supervisor.pids() == {}
    assert notices == ["ingest-1 did not stop in time and was killed"]
