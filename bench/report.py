"""What came of it: a table for the terminal, a page with ratios first, and a picture."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.chart import chart
from bench.environments import KSTREAMS, version_in
from bench.rounds import FLOOR, Results
from bench.running import ROOT

PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.svg"
OURS = "baton"
FLOOR_WORDS, FLOOR_PROMISE = "the handler alone, no Kafka: the floor", "none"


@dataclass(frozen=True, slots=True)
class Goal:
    """What we want of a ratio: ours to `peer`'s CPU an event, `most` at most."""

    peer: str
    most: float
    words: str


GOALS = (
    Goal("bare", 1.1, "at most 1.1 × the bare loop"),
    Goal("kafka-streams-eos", 0.6, "at most 0.6 × Kafka Streams with RocksDB, exactly once"),
    Goal("quix", 1 / 5, "at least 5 × cheaper than Quix Streams"),
    Goal("faust", 1 / 40, "at least 40 × cheaper than the stock Faust agent"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One peer's figures: CPU µs an event, and its ratio to ours in the same round (median).

    `beyond` is what it costs beyond the handler, which all peers in Python share; None for those that have their own.
    """

    name: str
    words: str
    promise: str
    middle: float
    least: float
    most: float
    ratio: float
    peak_mb: float
    beyond: float | None = None

    @property
    def a_core(self) -> float:
        """Events a second that one core can do."""
        return 1e6 / self.middle


def rows(results: Results) -> list[Row]:
    """Figures, cheapest first."""
    words = {peer.name: (peer.words, peer.promise) for peer in results.peers} | {FLOOR: (FLOOR_WORDS, FLOOR_PROMISE)}
    ours = [one.cpu_micros for one in results.measured.get(OURS, [])]
    floors = [one.cpu_micros for one in results.measured[FLOOR]]
    found = []
    for name, measured in results.measured.items():
        costs = [one.cpu_micros for one in measured]
        ratio = median(cost / own for cost, own in zip(costs, ours, strict=False)) if ours else float("nan")
        peak = max(one.peak_mb for one in measured)
        beyond = None
        if name != FLOOR and not name.startswith("kafka-streams"):
            beyond = median(cost - floor for cost, floor in zip(costs, floors, strict=False))
        found.append(Row(name, *words[name], median(costs), min(costs), max(costs), ratio, peak, beyond))
    return sorted(found, key=lambda row: row.middle)


def show(results: Results, console: Console) -> None:
    """On the terminal."""
    table = Table(title="CPU of the worker process, an event")
    for title in ("", "µs (min to max)", "beyond the handler", "events a second a core", "to ours"):
        table.add_column(title, justify="left" if not title else "right")
    for row in rows(results):
        spread = f"{row.middle:.1f} ({row.least:.1f} to {row.most:.1f})"
        table.add_row(row.words, spread, _beyond(row), f"{row.a_core:,.0f}", f"{row.ratio:.2f} ×")
    console.print(table)
    for line in (*goals(results), engines(results)):
        console.print(line)
    for name, why in results.absent.items():
        console.print(f"not measured: {name}: {why}")


def goals(results: Results) -> list[str]:
    """Which goals were reached, in words."""
    by_name = {row.name: row for row in rows(results)}
    said = []
    for goal in GOALS:
        if goal.peer in by_name and OURS in by_name:
            ratio = 1 / by_name[goal.peer].ratio
            reached = "reached" if ratio <= goal.most else "not reached"
            said.append(f"{goal.words}: {reached} ({ratio:.2f} ×, or {1 / ratio:.1f} × cheaper)")
    return said


def engines(results: Results) -> str:
    """How the engines compare where the handler that they share is left out, and what it lets them come to."""
    by_name = {row.name: row for row in rows(results)}
    ours, floor = by_name.get(OURS), by_name.get(FLOOR)
    if ours is None or floor is None or not ours.beyond or ours.beyond <= 0:
        return ""
    said = [f"The handler takes {floor.middle:.1f} of our {ours.middle:.1f} µs; all peers in Python pay for it alike."]
    if "faust" in by_name:
        most = by_name["faust"].middle / floor.middle
        said.append(f"So an engine that costs nothing would be {most:.0f} × cheaper than Faust, and none can be more.")
    others = [row for row in by_name.values() if row.beyond is not None and row.name != OURS]
    apart = "; ".join(f"{row.words}: {row.beyond / ours.beyond:.1f} ×" for row in others if row.beyond is not None)
    return " ".join([*said, f"Beyond the handler, to ours: {apart}."])


def write(results: Results) -> None:
    """The page and its picture."""
    found = rows(results)
    PICTURE.write_text(chart([(row.words, row.middle, row.least, row.most, row.name == OURS) for row in found]))
    head = (ROOT / "bench" / "page.txt").read_text()
    goals_said = "\n".join(f"- {line}" for line in goals(results))
    by_ratio = "\n".join(_line(row) for row in found)
    checked = "\n".join(f"- {_words(results, name)}: {verdict.words}." for name, verdict in results.verdicts.items())
    absent = "".join(f"\n\nNot measured: {name}, since it {why}." for name, why in results.absent.items())
    PAGE.write_text(
        head.format(
            goals=goals_said,
            engines=engines(results),
            table=by_ratio + absent,
            rounds=results.plan.rounds,
            events=f"{results.plan.events:,}",
            active=f"{results.plan.active:,}",
            checked=checked,
            machine=machine(),
        )
    )


def machine() -> str:
    """What it was measured on and with."""
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split('"')
    ours = [f"{name} {version(name)}" for name in ("confluent-kafka", "pydantic", "msgspec")]
    peers = (("faust", "faust-streaming"), ("quix", "quixstreams"), ("faststream", "faststream"))
    theirs = [f"{package} {version_in(name, package)}" for name, package in peers]
    broker = _pom_version(ROOT / "tests" / "kafka", "kafka_2.13")
    streams, jdk = _pom_version(KSTREAMS, "kafka-streams"), java[1] if len(java) > 1 else "absent"
    return "\n".join(
        (
            f"- {os.cpu_count()} cores ({processor()}), shared by broker, peer and observer; {platform.system()}.",
            f"- Python {platform.python_version()}, {', '.join([*ours, *theirs])}.",
            f"- Apache Kafka {broker}, Kafka Streams {streams}, Java {jdk}.",
        )
    )


def _line(row: Row) -> str:
    spread = f"{row.middle:.1f} ({row.least:.1f} to {row.most:.1f})"
    return f"| {row.words} | {row.ratio:.2f} | {spread} | {_beyond(row)} | {row.a_core:,.0f} | {row.promise} |"


def _beyond(row: Row) -> str:
    return f"{row.beyond:.1f}" if row.beyond is not None else ""


def _words(results: Results, name: str) -> str:
    return next(peer.words for peer in results.peers if peer.name == name)


def _pom_version(folder: Path, artifact: str) -> str:
    text = (folder / "pom.xml").read_text()
    return text.split(f"<artifactId>{artifact}</artifactId>")[1].split("<version>")[1].split("<")[0]


def processor() -> str:
    """What it calls itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
