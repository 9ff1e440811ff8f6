"""`python -m bench.path`: measures the whole path on a real Kafka of its own. `--help` has the rest.

Environment: `BENCH_WRITE=no` leaves the pages as they are.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench.path import chain, growth, idle, plan, report, trace
from bench.path.house import house
from bench.path.runs import Runs
from schemas.topics import SALES_QUEUE
from tests.brokers import java_broker
from tests.kafka.jars import Unavailable


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--trace", action="store_true", help="the way of single events, leg by leg")
    what.add_argument("--idle", action="store_true", help="what an idle installation spends")
    what.add_argument("--chain", action="store_true", help="the least that it could take: bare loops in a row")
    what.add_argument("--growth", action="store_true", help="whether an event costs more where there is more of all")
    parser.add_argument("--rate", type=float, default=plan.AT, help="events a second of a trace")
    parser.add_argument("--size", type=int, default=plan.SINGLE, help="events a request of a trace")
    parser.add_argument("--seconds", type=float, default=plan.POINT_SECONDS, help="length of a point or a trace")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, as at Ctrl-C
    console = Console()
    with tempfile.TemporaryDirectory(prefix="baton-path-") as folder:
        home = Path(folder)
        try:
            if given.trace:
                _trace(home, given, console)
            elif given.idle:
                idle.show([measure(home / name) for name, measure in idle.KINDS.items()], console)
            elif given.chain:
                chain.show(chain.chain(home, given.seconds), console)
            elif given.growth:
                with java_broker(home, "") as broker:
                    growth.show(growth.growth(broker.bootstrap, home, console.print), console)
            else:
                _measure(home, given.seconds, console)
        except Unavailable as reason:
            console.print(f"the bench needs a real Kafka of its own: {reason}")
            return 2
    return 0


def _measure(home: Path, seconds: float, console: Console) -> None:
    with house(home) as standing:
        runs = Runs(standing)
        console.print("the highest rate …")
        full = runs.full(plan.FULL_SECONDS, plan.WARM_SECONDS, plan.WINDOW, plan.BATCH)
        console.print(report.sustained_words(full))
        results = report.Results(full)
        for one in plan.wanted(full.rate):
            results.points.append(runs.paced(one.name, one.rate, seconds, one.size))
            handoff = " / ".join(report.three(results.points[-1].handoff))
            console.print(f"{one.name}: handoff p50 / p95 / p99 {handoff} ms")
            report.show_late(results.points[-1], console)
    report.show(results, console)
    report.write(results)


def _trace(home: Path, given: argparse.Namespace, console: Console) -> None:
    with house(home) as standing:
        runs = Runs(standing)
        runs.full(1.0, plan.WARM_SECONDS, plan.WINDOW, plan.BATCH)
        runs.paced("warm", given.rate, 5.0, given.size)
        point = runs.paced("trace", given.rate, given.seconds, given.size, whole=True)
        leads = [one.lead for one in point.seen if one.topic.startswith(SALES_QUEUE)]
        followed = trace.ways(point.seen, trace.commit_times(standing.database_url, leads))
    trace.show(followed, point, console)
    report.show_late(point, console)


if __name__ == "__main__":
    sys.exit(main())
