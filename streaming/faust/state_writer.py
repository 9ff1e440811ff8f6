"""Writes frozen layers of tables to files, in a thread of its own that takes little of the others' time."""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import time
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from streaming.faust.spool import Spool
from streaming.faust.state_file import Point, StateFile, write
from streaming.faust.table import Table
from streaming.stage import Codec

log = logging.getLogger(__name__)

REST_SECONDS = 0.002
"""Between two steps of half a millisecond: the stage waits for the interpreter no longer than a step takes."""
FREED_AT_ONCE, WORTH_TRIMMING = 5_000, 100_000


class Job:
    """One table to be written. Made in the engine's thread, which freezes the table's upper layer by it."""

    def __init__(self, table: Table, point: Point, path: Path) -> None:
        self.table, self.point, self.path = table, point, path
        self.tail, self.below = table.tail, table.below
        self.fresh = table.freeze()
        self.file: StateFile | None = None

    def take_up(self, codec: Codec[object]) -> None:
        """Let the table rest on the file, where it was written and the table was not forgotten meanwhile."""
        if self.table.frozen is not self.fresh:
            return
        if self.file is not None:
            self.table.settle(self.file, codec.loads)
        else:
            self.table.thaw(self.tail)


class StateWriter:
    """Writes one table after the other, beginning at once."""

    def __init__(self, jobs: list[Job], codec: Codec[object]) -> None:
        self.jobs, self.codec = jobs, codec
        self._hurry, self._cancel = threading.Event(), threading.Event()
        self._began = monotonic()
        self._thread = threading.Thread(target=self._main, name="state-writer", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether nothing more comes."""
        return not self._thread.is_alive()

    def hurry(self, seconds: float) -> None:
        """Wait for the end without rest, for so long; then give up what is not written."""
        self._hurry.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._cancel.set()
            self._thread.join()

    def take_up(self) -> None:
        """In the engine's thread, once `done`: what was written lies below, what was not is in memory as before."""
        for job in self.jobs:
            job.take_up(self.codec)
        written = [job for job in self.jobs if job.file is not None]
        log.info("wrote the state of %d partitions in %.1f s", len(written), monotonic() - self._began)
        layers, spools = [job.fresh for job in written], [job.below for job in written if isinstance(job.below, Spool)]
        self.jobs.clear()
        threading.Thread(target=_let_go, args=(layers, spools), name="state-writer", daemon=True).start()

    def _main(self) -> None:
        for job in self.jobs:
            if self._cancel.is_set():
                return
            try:
                self._write(job)
            except Exception:  # whatever it is, the state is in memory and in the changelog
                log.warning("%s was not written", job.path, exc_info=True)

    def _write(self, job: Job) -> None:
        job.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = job.path.with_name(f"{job.path.stem}.{os.getpid()}.part")
        try:
            if isinstance(job.below, Spool):
                job.below.secure()  # what it says goes into a file that is believed
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
                for _ in write(out, job.point, job.fresh, job.below, self.codec.dumps):
                    self._hurry.wait(REST_SECONDS)
                    if self._cancel.is_set():
                        return
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(job.path)
        finally:
            unfinished.unlink(missing_ok=True)
        _make_durable(job.path.parent)
        job.file = StateFile(job.path, verify=False)


def _let_go(layers: list[dict[bytes, Any]], spools: list[Spool]) -> None:
    """Free what nobody reads any more, a bit at a time: a million values at once are a tenth of a second's halt."""
    layers = layers + [spool.starts for spool in spools]
    freed = sum(map(len, layers))
    for layer in layers:
        while layer:
            for _ in range(min(len(layer), FREED_AT_ONCE)):
                layer.popitem()
            time.sleep(REST_SECONDS)
    if freed >= WORTH_TRIMMING and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)  # glibc keeps freed memory for itself; other libraries have no such call


def file_of(folder: Path, partition: int) -> Path:
    """Where the state of a partition lies."""
    return folder / f"{partition}.state"


def sweep(folder: Path) -> None:
    """Remove what processes that are gone were writing when they were killed."""
    for path in folder.glob("*.part"):
        pid = path.name.split(".")[-2]
        if not pid.isdigit() or not psutil.pid_exists(int(pid)):
            path.unlink(missing_ok=True)


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
