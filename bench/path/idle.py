"""What an idle `baton up` spends: nobody sends anything, and nobody looks."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

from bench.path.house import house, spent
from bench.path.sheet import Sheet, write_page
from tests.running import Running

SETTLED_SECONDS, MEASURED_SECONDS = 20.0, 60.0
MOST = 3.0
"""Percent of a core, all processes of ours together."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Percent of a core: by process of ours, and of broker and database together."""

    words: str
    ours: Mapping[str, float]
    servers: float
    load: float

    @property
    def together(self) -> float:
        """Of all processes of ours."""
        return sum(self.ours.values())


def on_real_kafka(home: Path) -> Idle:
    """`baton up` on a real Kafka."""
    home.mkdir()
    with house(home) as standing:
        servers = [standing.processes[name] for name in ("broker", "database")]
        ours = {name: pid for name, pid in standing.processes.items() if pid not in servers}
        return _idle("real Kafka", ours, servers)


def on_embedded_servers(home: Path) -> Idle:
    """`baton up` and nothing else."""
    home.mkdir()
    with Running(home, {}, "") as up:
        ready = up.hears("ready", 120)
        ours = {name: pid for name, pids in ready["pids"].items() for pid in pids} | {"up": up.process.pid}
        servers = [one.pid for one in psutil.Process(up.process.pid).children() if one.pid not in ours.values()]
        return _idle("embedded servers", ours, servers)


def _idle(words: str, ours: Mapping[str, int], servers: list[int]) -> Idle:
    time.sleep(SETTLED_SECONDS)
    before, began = _spent(ours, servers), time.monotonic()
    time.sleep(MEASURED_SECONDS)
    after, took = _spent(ours, servers), time.monotonic() - began
    share = {name: 100 * (after[name] - before[name]) / took for name in after}
    theirs = share.pop("")
    return Idle(words, share, theirs, os.getloadavg()[0])


def _spent(ours: Mapping[str, int], servers: list[int]) -> dict[str, float]:
    own = {name: spent(pid, children=False) for name, pid in ours.items()}
    return own | {"": sum(spent(pid, children=True) for pid in servers)}


KINDS = {"kafka": on_real_kafka, "embedded": on_embedded_servers}


def show(found: list[Idle], console: Console) -> None:
    """On the terminal and on its page."""
    names = sorted(found[0].ours)
    rows = [
        (one.words, *(f"{one.ours.get(name, 0.0):.2f}" for name in names), f"{one.together:.2f}", f"{one.servers:.2f}")
        for one in found
    ]
    title = f"An idle `baton up`, percent of a core over {MEASURED_SECONDS:g} s"
    sheet = Sheet(title, ("", *names, "ours", "broker, database"), rows)
    goals = [
        f"under {MOST:g} % on {one.words}: {'reached' if one.together < MOST else 'not reached'}; load {one.load:.1f}"
        for one in found
    ]
    console.print(sheet.table())
    for goal in goals:
        console.print(goal)
    write_page(
        "idle", sheet=sheet.markdown(), goals="\n".join(f"- {goal}" for goal in goals), seconds=f"{MEASURED_SECONDS:g}"
    )
