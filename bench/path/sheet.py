"""Tables that stand on the terminal and on a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.report import processor
from bench.running import ROOT


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells under titles; the first column holds words, the others figures."""

    title: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self) -> Table:
        """For the terminal."""
        table = Table(title=self.title)
        for number, title in enumerate(self.titles):
            table.add_column(title, justify="right" if number else "left")
        for cells in self.rows:
            table.add_row(*cells)
        return table

    def markdown(self) -> str:
        """For a page."""
        lines = [self.titles, ["---", *["---:"] * (len(self.titles) - 1)], *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_page(name: str, **words: Any) -> None:
    """`docs/benchmarks/<name>.md`, from `bench/path/<name>.txt`; `BENCH_WRITE=no` leaves it as it is."""
    if os.environ.get("BENCH_WRITE", "yes") == "no":
        return
    page = ROOT / "docs" / "benchmarks" / f"{name}.md"
    page.parent.mkdir(exist_ok=True)
    text = (ROOT / "bench" / "path" / f"{name}.txt").read_text()
    machine = f"{os.cpu_count()} cores ({processor()}), {platform.system()}, Python {platform.python_version()}"
    page.write_text(text.format(machine=machine, **words))
