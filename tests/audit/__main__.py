"""An independent reader: is every event, score and assignment where it must be, exactly once?

    python -m tests.audit --kafka 127.0.0.1:9092 --database postgresql://… [--prefix P] [--patience 60]

It shares no code with the pipeline, reads committed records only, prints a table, and exits with 1 where anything is
lost or doubled. The path must have come to rest; with `--patience` it looks again until nothing is amiss or the
seconds have passed.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.audit.look import look

SHOWN = 20


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", required=True, metavar="SERVERS")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--patience", type=float, default=0, metavar="SECONDS")
    given = parser.parse_args()
    deadline = time.monotonic() + given.patience
    report = look(given.kafka, given.database, given.prefix)
    while report.violations and time.monotonic() < deadline:
        time.sleep(1)
        report = look(given.kafka, given.database, given.prefix)
    width = max(map(len, report.lines))
    for name, value in report.lines.items():
        print(f"{name:<{width}}  {value}")
    for violation in report.violations[:SHOWN]:
        print(f"VIOLATION: {violation}")
    if len(report.violations) > SHOWN:
        print(f"… and {len(report.violations) - SHOWN} more")
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
