"""The least that the path could take here: the collector, and four bare hops instead of the stages and the relay."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import httpx
import msgspec
from rich.console import Console

from bench.path import plan
from bench.path.hop import Order
from bench.path.house import House
from bench.path.report import three
from bench.path.runs import Point, Runs
from bench.path.sheet import Sheet, write_page
from bench.running import ROOT, worker
from bench.topics import Topics
from schemas.topics import MARKETING_EVENTS, failed, queue
from tests.kafka.node import Node, free_port
from tests.waiting import until

PARTITIONS = 8
HANDED_OFF = 9
"""One event in so many goes over the last hop, as in the runs of the path."""
RATES = (plan.AT, plan.SINGLE), (1_350.0, plan.BATCH)
"""Events a second, and events a request; the second is about half of what the path sustains."""
WARM_SECONDS, STARTS_WITHIN = 90.0, 60.0
KINDS = {"exactly once": True, "at least once": False}


def chain(home: Path, seconds: float) -> list[Point]:
    """At each of the rates, each kind on a broker of its own."""
    points = []
    for name, sound in KINDS.items():
        with _standing(home / name.split()[0], sound=sound) as house:
            runs = Runs(house)
            runs.paced("warm", plan.AT, WARM_SECONDS, plan.SINGLE)
            for rate, size in RATES:
                points.append(runs.paced(name, rate, seconds, size))
    return points


@contextmanager
def _standing(home: Path, *, sound: bool) -> Iterator[House]:
    home.mkdir()
    node, port = Node(home / "kafka"), free_port()
    names = [MARKETING_EVENTS, "hop.one", "hop.two", "hop.three", queue("chain")]
    try:
        node.start()
        Topics(node.bootstrap, PARTITIONS).create(
            [*names, *(f"hop.{n}.state" for n in range(1, len(names))), failed("ingest")]
        )
        bare = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
        bare |= {"PYTHONPATH": str(ROOT), "BATON_KAFKA": node.bootstrap, "BATON_COLLECTOR_PORT": str(port)}
        bare |= {"BATON_CONFIG_DIR": str(ROOT / "config"), "BATON_METRICS_PORT": "0", "BATON_DATA_DIR": str(home)}
        processes = {}
        with ExitStack() as stack:
            collector = [sys.executable, "-m", "baton", "collector"]
            processes["collector"] = stack.enter_context(worker(collector, bare, home / "collector.log")).pid
            for number, (source, out) in enumerate(pairwise(names), 1):
                order = Order(
                    bootstrap=node.bootstrap, source=source, out=out, changelog=f"hop.{number}.state", sound=sound,
                    every=HANDED_OFF if number == 3 else 1, last=number == 4,
                )  # fmt: skip
                hop = [sys.executable, "-m", "bench.path.hop", msgspec.json.encode(order).decode()]
                processes[f"hop {number}"] = stack.enter_context(worker(hop, bare, home / f"hop-{number}.log")).pid
            door = f"http://127.0.0.1:{port}"
            until(lambda: _answers(f"{door}/readyz"), STARTS_WITHIN, "the collector to be ready")
            yield House(home, node.bootstrap, "", f"{door}/v1/events", [], processes | {"broker": node.pid or 0})
    finally:
        node.stop()


def _answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(url).status_code == httpx.codes.OK
    return False


def show(points: list[Point], console: Console) -> None:
    """On the terminal and on its page."""
    rows = [
        (
            point.name,
            f"{point.rate:,.0f}, {point.size} a request",
            *three(point.handoff),
            f"{1e6 * sum(point.cpu.values()) / point.sent.events:,.0f}",
            f"{point.load:.1f}",
        )
        for point in points
    ]
    titles = ("", "events a second", "handoff p50", "p95", "p99", "CPU µs an event, broker and collector too", "load")
    sheet = Sheet("Handoff of four bare hops, ms", titles, rows)
    console.print(sheet.table())
    write_page("chain", sheet=sheet.markdown(), handed_off=HANDED_OFF)
