"""Runs one peer once, and watches from outside what it spends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.peers.work import Place
from bench.plan import Marks
from bench.topics import Topics

ROOT = Path(__file__).parents[1]
LOOK_SECONDS, PATIENCE_SECONDS = 0.1, 60.0


class PeerFailed(Exception):
    """A peer ended, or got nowhere; the message has what it said last."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a peer spent between its marks: CPU of all its threads (user and system), and time."""

    events: int
    cpu_seconds: float
    seconds: float
    peak_mb: float

    @property
    def cpu_micros(self) -> float:
        """CPU µs an event."""
        return 1e6 * self.cpu_seconds / self.events


def environment(place: Place, more: Mapping[str, str]) -> dict[str, str]:
    """What a peer's process is told."""
    told = {f"BENCH_{name.upper()}": str(getattr(place, name)) for name in Place.__slots__}
    return {**os.environ, "PYTHONPATH": str(ROOT), **told, **more}


@contextmanager
def worker(command: list[str], told: Mapping[str, str], log: Path) -> Iterator[psutil.Process]:
    """A peer's process; ended at the end."""
    with log.open("wb") as out:
        child = subprocess.Popen(
            command, cwd=ROOT, env=dict(told), stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def measured(process: psutil.Process, topics: Topics, out: str, marks: Marks, counts: list[int], log: Path) -> Measured:
    """Watch until the `last` mark is passed. `counts` are the records of the source's partitions.

    The first mark is passed when every partition has its share of it behind it. Raises PeerFailed.
    """
    share = marks.first / sum(counts)
    first: tuple[int, float, float] | None = None
    changed, before = time.monotonic(), -1
    while True:
        ends = topics.ends(out)
        try:
            cpu, memory = process.cpu_times(), process.memory_info().rss
            running = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            running = False
        if not running:
            raise PeerFailed(f"it ended: {_last_words(log)}")
        now, done = time.monotonic(), sum(ends)
        spent = cpu.user + cpu.system
        if first is None and all(end >= count * share for end, count in zip(ends, counts, strict=True)):
            first = (done, spent, now)
        elif first is not None and done >= min(first[0] + marks.last - marks.first, sum(counts)):
            return Measured(done - first[0], spent - first[1], now - first[2], memory / 1e6)
        if done != before:
            changed, before = now, done
        elif now - changed > PATIENCE_SECONDS:
            raise PeerFailed(f"it came to {done} records and no further: {_last_words(log)}")
        time.sleep(LOOK_SECONDS)


def venv_python(name: str) -> str:
    """The interpreter of a peer's virtual environment; the project's own where it has none."""
    return str(ROOT / "bench" / ".venvs" / name / "bin" / "python") if name else sys.executable


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-1_500:].strip()
