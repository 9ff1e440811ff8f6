"""A worker that takes too much memory, or whose memory nobody looked at, fails a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.faults.outcome import MOST_BYTES, heavy
from tests.faults.workers import Crew, Worker
from tests.waiting import until


def test_more_than_the_bound_is_wrong() -> None:
    assert heavy({"scoring": MOST_BYTES, "routing": 1}, ["scoring", "routing"]) == []
    assert heavy({"scoring": MOST_BYTES + 1}, ["scoring"]) == [
        "a worker of scoring had 600 MiB in memory, more than 600"
    ]


def test_a_stage_that_was_not_measured_is_wrong() -> None:
    assert heavy({"scoring": 1}, ["scoring", "routing"]) == ["the memory of routing was not measured"]


def test_the_largest_worker_of_a_stage_counts(tmp_path: Path) -> None:
    held = "x = bytearray({} << 20); print(flush=True); input()"
    crew = Crew()
    for instance, size in (("a", 100), ("b", 1)):
        worker = Worker("scoring", instance, [sys.executable, "-c", held.format(size)], {}, tmp_path, wanted=False)
        worker.process = subprocess.Popen(worker.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert worker.process.stdout is not None
        worker.process.stdout.readline()
        crew.workers.append(worker)
    crew.watch()
    try:
        until(lambda: crew.largest, 30, "workers to be weighed")
    finally:
        crew.kill()

    assert 100 << 20 <= crew.largest["scoring"] < 200 << 20
