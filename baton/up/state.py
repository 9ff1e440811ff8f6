"""The run file: how other commands find what `baton up` has started, by the data folder alone."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

from baton.refusal import NO, Refusal

FILE, LOCK = "up.json", "up.lock"


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: addresses, and process ids by stage. `born` is when `pid` was created: an id may be used again."""

    pid: int
    born: float
    collector: str
    sales: str
    kafka: str
    database_url: str
    metrics: list[str]
    pids: dict[str, list[int]]
    data_dir: str
    topic_prefix: str = ""
    probes: dict[str, str] = field(default_factory=dict)
    """Name of each worker to the address of its health and metrics."""

    def ready_event(self) -> dict[str, object]:
        """The first line of `baton up --json`."""
        keys = ("collector", "sales", "kafka", "database_url", "metrics", "pids", "data_dir")
        return {"event": "ready"} | {key: getattr(self, key) for key in keys}


def born(pid: int) -> float:
    """When a process was created, in seconds since the epoch."""
    return psutil.Process(pid).create_time()


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder; the lock goes with the process, however it ends. Raises `Refusal` where it is held."""
    with _lock(data_dir) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = find(data_dir)
            who = f" (process {running.pid})" if running else ""
            raise Refusal(
                f"baton is already up on {data_dir}{who}",
                "`baton status` shows it; for a second one set BATON_DATA_DIR to another folder",
                NO,
            ) from None
        yield


def _lock(data_dir: Path) -> TextIO:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return (data_dir / LOCK).open("a")
    except OSError as error:
        raise Refusal(
            f"the data folder {data_dir} cannot be used: {error.strerror}",
            "Set BATON_DATA_DIR to a folder that you may write to",
        ) from error


def write(data_dir: Path, running: Running) -> None:
    """Write the run file at once; only its owner may read it, since a database URL may hold a password."""
    path = data_dir / FILE
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(running), file, indent=2)
    draft.replace(path)


def remove(data_dir: Path) -> None:
    """Say that nothing runs any more."""
    (data_dir / FILE).unlink(missing_ok=True)


def find(data_dir: Path) -> Running | None:
    """What runs on a data folder; None where nothing does, a file that a killed process left included."""
    try:
        running = Running(**json.loads((data_dir / FILE).read_text()))
        alive = abs(born(running.pid) - running.born) < 1.0
    except (OSError, ValueError, TypeError, psutil.NoSuchProcess):
        return None
    return running if alive else None


def found(data_dir: Path) -> Running:
    """As `find`. Raises `Refusal` where nothing runs."""
    running = find(data_dir)
    if running is None:
        raise Refusal(f"nothing is up on {data_dir}", "Start it with `baton up`, or set BATON_DATA_DIR", NO)
    return running
