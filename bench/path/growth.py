"""Whether the cost of an event grows with what there is: more leads in state, more partitions. The scoring stage."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console

from bench.line_up import CONFIG
from bench.path.sheet import Sheet, write_page
from bench.peers.work import Place
from bench.plan import Marks
from bench.running import environment, measured, worker
from bench.topics import Topics
from bench.world import STEPS

MEASURED = 60_000
ROUNDS = 3
MOST = 1.15
"""What an event may cost, in times of what it costs at the base."""


@dataclass(frozen=True, slots=True)
class Size:
    """An installation: `active` leads on their way at a time, twice as many in state once all is warm."""

    words: str
    active: int
    partitions: int

    @property
    def prefix(self) -> str:
        """Before the names of its topics."""
        return f"grow-{self.active}-{self.partitions}."

    @property
    def marks(self) -> Marks:
        """Measured from where every lead has gone all its steps."""
        first = STEPS * self.active
        return Marks(first, first + MEASURED)


SIZES = (
    Size("base", 5_003, 4),
    Size("10 times the leads", 50_021, 4),
    Size("4 times the partitions", 5_003, 16),
)


@dataclass(slots=True)
class Cost:
    """CPU µs an event of one size, in order of the rounds."""

    size: Size
    micros: list[float] = field(default_factory=list)

    def ratios(self, base: Cost) -> list[float]:
        """To the base of the same round."""
        return [own / of_base for own, of_base in zip(self.micros, base.micros, strict=True)]

    def ratio(self, base: Cost) -> float:
        """Their median."""
        return median(self.ratios(base))


def growth(bootstrap: str, home: Path, say: Callable[[str], None]) -> list[Cost]:
    """Each size in turn, `ROUNDS` times, the base first. Raises PeerFailed."""
    costs = [Cost(size) for size in SIZES]
    counts = []
    for size in SIZES:
        total = size.marks.last + MEASURED // 2
        counts.append(Topics(bootstrap, size.partitions).fill(f"{size.prefix}leads.events", total, size.active))
    for number in range(1, ROUNDS + 1):
        for cost, of_partitions in zip(costs, counts, strict=True):
            cost.micros.append(_once(cost.size, of_partitions, bootstrap, home, number))
            say(f"round {number}  {cost.size.words}: {cost.micros[-1]:.1f} µs of CPU an event")
    return costs


def _once(size: Size, counts: list[int], bootstrap: str, home: Path, number: int) -> float:
    topics = Topics(bootstrap, size.partitions)
    source = f"{size.prefix}leads.events"
    out, changelog = f"{size.prefix}leads.scored", f"{size.prefix}scoring.state"
    group = f"{size.prefix}baton-scoring"
    topics.forget(group)
    topics.delete(name for name in topics.names() if name.startswith(size.prefix) and name != source)
    topics.create([out, changelog, f"{size.prefix}scoring.failed"])
    run = f"{size.prefix}{number}"
    place = Place(bootstrap, source, out, changelog, group, size.partitions, home / run)
    told = {
        "BATON_KAFKA": bootstrap,
        "BATON_TOPIC_PREFIX": size.prefix,
        "BATON_CONFIG_DIR": str(CONFIG),
        "BATON_DATA_DIR": str(place.data),
        "BATON_METRICS_PORT": "0",
        "BATON_LOG_LEVEL": "warning",
    }
    log = home / f"{run}.log"
    with worker([sys.executable, "-m", "baton", "scoring"], environment(place, told), log) as process:
        return measured(process, topics, out, size.marks, counts, log).cpu_micros


def show(costs: list[Cost], console: Console) -> None:
    """On the terminal and on its page."""
    rows = [
        (
            cost.size.words,
            f"{cost.size.active:,}",
            f"{cost.size.partitions}",
            f"{median(cost.micros):.1f}",
            f"{cost.ratio(costs[0]):.2f} ×",
            " ".join(f"{ratio:.2f}" for ratio in cost.ratios(costs[0])),
            f"{MOST:.2f} ×",
        )
        for cost in costs
    ]
    titles = ("", "leads on their way", "partitions", "CPU µs", "to the base", "by round", "at most")
    sheet = Sheet("Scoring: CPU an event, and to the base of the same round", titles, rows)
    console.print(sheet.table())
    write_page("growth", sheet=sheet.markdown(), rounds=ROUNDS, events=f"{MEASURED:,}")
