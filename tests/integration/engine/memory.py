"""A worker whose memory is looked at, and how its broker is made slow: see docs/operating.md on what it may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from streaming.faust.settings import FETCH_BYTES, FETCHED_KBYTES
from tests.integration.engine.place import ROOT, WAIT
from tests.kafka.jars import classpath
from tests.waiting import until

BOUND = 96_000_000
"""What a worker may take beside what it takes idle; see docs/operating.md."""


class Watched:
    """A worker, its memory, and what its consumer holds."""

    def __init__(self, home: Path, module: str, *told: str, environment: Mapping[str, str] | None = None) -> None:
        home.mkdir(exist_ok=True)
        self.log, self.stats = home / "worker.log", home / "fetched"
        self.stats.touch()
        command = [sys.executable, "-m", "tests.integration.engine.watched", str(self.stats), module, *told]
        with self.log.open("wb") as log:
            told_so = os.environ | dict(environment or {})
            self.process = psutil.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=told_so)
        self.idle = self.peak = 0

    def settled(self) -> None:
        """It is idle now; what it takes from here on counts."""
        self.idle = self.peak = self.look()

    def look(self) -> int:
        self.peak = max(self.peak, self.process.memory_info().rss)
        return self.process.memory_info().rss

    def fetched(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stats.read_text().splitlines()]

    def said(self, word: str) -> bool:
        return word in self.log.read_text(errors="replace")


@contextmanager
def watched(home: Path, module: str, *told: str, environment: Mapping[str, str] | None = None) -> Iterator[Watched]:
    worker = Watched(home, module, *told, environment=environment)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def throttle(bootstrap: str, client: str, bytes_a_second: int | None) -> None:
    """The broker takes no more than this from that client: so its outputs are slow, and nothing else is.

    None: it takes all again.
    """
    tool = ["java", "-cp", classpath(), "kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap, "--alter"]
    rate = "producer_byte_rate"
    change = ["--delete-config", rate] if bytes_a_second is None else ["--add-config", f"{rate}={bytes_a_second}"]
    whose = ["--entity-type", "clients", "--entity-name", client]
    subprocess.run([*tool, *whose, *change], check=True, capture_output=True)


def stood_still(worker: Watched, of: int) -> bool:
    """Whether for a second nothing was fetched, although the stage had not yet taken all there was, `of` records."""
    lines = worker.fetched()
    return any(
        lines[n]["waiting"] > 0 and lines[n]["fetched"] == lines[n - 5]["fetched"] < of for n in range(5, len(lines))
    )


def stays_bounded(worker: Watched, enough: Callable[[], bool], what: str, of: int, bound: int = BOUND) -> None:
    """Memory, until there was enough to see of `of` records; then: the consumer held what it may hold and no more."""
    until(lambda: worker.look() and enough(), WAIT * 4, what, every=0.2)
    most = max(one["waiting_bytes"] for one in worker.fetched())
    print(f"{what}: {(worker.peak - worker.idle) / 1e6:.0f} MB more than idle, {most / 1e6:.0f} MB of them fetched")

    assert worker.process.is_running()
    assert stood_still(worker, of)
    assert worker.peak - worker.idle < bound
    assert 0 < most <= FETCHED_KBYTES * 1024 + FETCH_BYTES
