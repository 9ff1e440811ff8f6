"""What came of it: a table, and the page that it stands on."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.report import machine
from bench.running import ROOT

PAGE = ROOT / "docs" / "benchmarks" / "restore.md"
WORDS = {
    "defaults": "bare loop into dicts, librdkafka's defaults",
    "loop": "bare loop into dicts, our reader's settings: the limit",
    "whole": "Baton, the whole changelog",
    "files": "Baton, from its files",
    "rocks whole": "rocksdict, the whole changelog",
    "rocks files": "rocksdict, from its files",
}


def show(took: dict[str, list[dict[str, Any]]], keys: int) -> str:
    """The table. Memory and lookups are medians."""
    base = took["whole"]
    lines = ["| way | time | CPU | memory, bytes a key | a lookup, µs |", "|---|---|---|---|---|"]
    for way, rounds in took.items():
        time = median(one["seconds"] / other["seconds"] for one, other in zip(rounds, base, strict=True))
        cpu = median(one["cpu"] / other["cpu"] for one, other in zip(rounds, base, strict=True))
        memory = median(one["memory"] for one in rounds) / keys
        get = median(one["get"] for one in rounds) * 1e6
        lines.append(f"| {WORDS[way]} | {time:.2f} | {cpu:.2f} | {memory:.0f} | {get:.1f} |")
    return "\n".join(lines)


def write(took: dict[str, list[dict[str, Any]]], keys: int, payload: float) -> None:
    """The page."""
    PAGE.parent.mkdir(exist_ok=True)
    loads = [one["load"] for rounds in took.values() for one in rounds]
    saved = [one for one in took["whole"] if "save_cpu" in one]
    PAGE.write_text(
        (ROOT / "bench" / "restore" / "page.txt")
        .read_text()
        .format(
            table=show(took, keys),
            rounds=len(took["whole"]),
            rate=keys / min(one["seconds"] for one in took["whole"]),
            rate_files=keys / min(one["seconds"] for one in took["files"]),
            load=f"a load of {min(loads):.0f} to {max(loads):.0f}",
            payload=payload,
            save=median(one["save_cpu"] for one in saved) / keys * 1e6,
            saved=median(one["memory_saved"] for one in saved) / keys,
            keys=keys,
            machine=machine(),
        )
    )
