"""`python -m bench`: measures all peers on a real Kafka of its own, prints what came of it, and writes the page.

Environment: `BENCH_EVENTS` (200000), `BENCH_ROUNDS` (3), `BENCH_ONLY` (names of peers, with commas), `BENCH_WRITE=no`
to leave docs/benchmarks.md as it is.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from rich.console import Console

from bench.plan import Plan
from bench.report import show, write
from bench.rounds import Bench
from tests.brokers import java_broker
from tests.kafka.jars import Unavailable


def main() -> int:
    """The command line."""
    ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, as at Ctrl-C
    console, plan = Console(), Plan.of_environment()
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        home = Path(folder)
        try:
            with java_broker(home, "") as broker:
                console.print(
                    f"{broker.name}; {plan.rounds} rounds, {plan.events:,} events of a fast peer measured in each"
                )
                results = Bench(plan, broker.bootstrap, home, console.print).run()
        except Unavailable as reason:
            console.print(f"the bench needs a real Kafka of its own: {reason}")
            return 2
    show(results, console)
    if os.environ.get("BENCH_WRITE", "yes") != "no" and not plan.only:
        write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
