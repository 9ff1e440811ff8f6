"""Everything on one machine, as it ships: a real Kafka, the embedded PostgreSQL, and `baton up` on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from baton.embedded.database import EmbeddedDatabase
from baton.up import state
from bench.running import ROOT
from tests.kafka.node import Node
from tests.running import Running

STARTS_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class House:
    """What runs, and where. `processes`: id of each process by name; a database's children belong to it."""

    home: Path
    kafka: str
    database_url: str
    door: str
    routing: list[str]
    processes: Mapping[str, int]

    def spent(self) -> dict[str, float]:
        """CPU seconds (user and system) that each has spent so far."""
        return {name: spent(pid, children=name == "database") for name, pid in self.processes.items()}


@contextmanager
def house(home: Path, workers: str = "", environment: Mapping[str, str] | None = None) -> Iterator[House]:
    """Start it all; stopped in the end. Raises `Unavailable` where there is no Java."""
    node = Node(home / "kafka")
    database = EmbeddedDatabase(home / "postgres", home / "postgres.log")
    try:
        node.start()
        _with_commit_times(database)
        told = {
            "BATON_KAFKA": node.bootstrap,
            "BATON_DATABASE_URL": database.url,
            "BATON_CONFIG_DIR": str(ROOT / "config"),
            "BATON_LOG_LEVEL": "warning",
            **(environment or {}),
        }
        with Running(home, told, workers) as up:
            ready = up.hears("ready", STARTS_WITHIN)
            pids: dict[str, list[int]] = ready["pids"]
            named = {
                name if len(them) == 1 else f"{name}-{n}": pid
                for name, them in pids.items()
                for n, pid in enumerate(them, 1)
            }
            found = state.find(Path(ready["data_dir"]))
            probes = found.probes if found is not None else {}
            yield House(
                home,
                node.bootstrap,
                database.url,
                f"{ready['collector']}/v1/events",
                [f"{url}/metrics" for name, url in probes.items() if name.startswith("routing")],
                {**named, "up": up.process.pid, "broker": node.pid or 0, "database": database.pid or 0},
            )
    finally:
        database.stop()
        node.stop()


def _with_commit_times(database: EmbeddedDatabase) -> None:
    """Started with `track_commit_timestamp`, by which a trace finds when a transaction was committed."""
    database.start()
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    database.stop()
    database.start()


def spent(pid: int, *, children: bool) -> float:
    """CPU seconds of a process so far; with `children`, theirs too, those that have ended included."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system
    if children:  # PostgreSQL has one for each connection
        total += times.children_user + times.children_system
        total += sum(_own(child) for child in process.children(recursive=True))
    return total


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
