"""Faults at random under load, on a real Kafka and a real PostgreSQL, and an audit of what is left.

    python -m tests.faults [--minutes 3] [--seed N] [--each] [--keep DIR]

Five stages run, several workers of each: a sum that is kept in Kafka, the same in the ledger, and ingest, scoring and
routing as they ship. What must come of each key follows from the key. Prints the seed, each fault as it happens, and a
table; exits with 1 where anything was lost, doubled or stood still. The same seed draws the same faults.
"""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults import catalogue
from tests.faults.catalogue import Fault
from tests.faults.drill import drill
from tests.faults.site import STAGES, Site
from tests.faults.table import lines


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--each", action="store_true", help="every kind of fault once, however long that takes")
    parser.add_argument("--only", nargs="+", metavar="KIND", help="of the faults that are drawn those alone")
    parser.add_argument("--keep", type=Path, help="where logs and data stay; by default they go")
    parser.add_argument(
        "--stages", nargs="+", choices=STAGES, default=STAGES, help="of ingest, scoring, routing all or none"
    )
    told = parser.parse_args()
    seed = random.randrange(1_000_000) if told.seed is None else told.seed
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    home = told.keep or Path(tempfile.mkdtemp(prefix="faults-"))
    home.mkdir(parents=True, exist_ok=True)
    site = Site(home, told.stages)
    plan: Iterable[Sequence[Fault]] = catalogue.at_random(rng, told.stages)
    if told.each:
        plan = [(fault,) for fault in catalogue.each(rng, told.stages)]
    if told.only:
        plan = (faults for faults in plan if all(fault.kind in told.only for fault in faults))
    seconds = None if told.each else told.minutes * 60
    try:
        site.open()
        pauses = random.Random(seed + 1)
        outcome = drill(site, plan, pauses, seconds, lambda line: print(line, flush=True), everywhere=told.each)
    finally:
        site.close()
    again = ["python", "-m", "tests.faults", "--seed", str(seed)]
    again += ["--each"] if told.each else ["--minutes", f"{told.minutes:g}"]
    again += ["--only", *told.only] if told.only else []
    again += ["--stages", *told.stages] if told.stages != STAGES else []
    print("\n".join(lines(outcome, seed, shlex.join(again))), flush=True)
    if told.keep is None and not outcome.violations:
        shutil.rmtree(home, ignore_errors=True)
    else:
        print(f"logs and data: {home}")
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main())
