"""Measures each protocol on a real Kafka node of its own, and prints two tables.

    python -m bench.rebalance [--rounds 3] [--only TEXT]

Three members share 12 partitions, each with a record every 20 ms. A fourth joins; it leaves in order; another one is
killed; and once more. Of each event: how long a partition went without a commit, the longest that each of the 12 had,
of which the median and the most; and how many of them went without one for half a second or more. What is
ordinary stands in the line `nothing happens`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import monotonic

from bench.rebalance.fence import CASES, verdicts
from bench.rebalance.group import Group
from bench.rebalance.protocols import PROTOCOLS, Protocol
from tests.kafka.node import Node

MEMBERS, LONG_SECONDS = 3, 0.5
EVENTS = ("nothing happens", "one joins", "one leaves", "one is killed")


def measured(group: Group, rounds: int) -> dict[str, list[list[float]]]:
    """By event, the standstills of each round, by partition."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    names = [group.join() for _ in range(MEMBERS)]
    group.steady()
    for _ in range(rounds):
        since = monotonic()
        group.steady()
        found["nothing happens"].append(group.standstills(since))
        new = group.join()
        since = group.joined[new]
        group.steady()
        found["one joins"].append(group.standstills(since))
        since = group.end(new, signal.SIGTERM)
        group.steady()
        found["one leaves"].append(group.standstills(since))
        since = group.end(names.pop(0), signal.SIGKILL)
        group.steady()
        found["one is killed"].append(group.standstills(since))
        names.append(group.join())
        group.steady()
    return found


def row(protocol: Protocol, event: str, rounds: Sequence[Sequence[float]], load: str) -> str:
    """A line of the first table."""
    every = [one for of in rounds for one in of]
    long = median(sum(one >= LONG_SECONDS for one in of) for of in rounds)
    figures = f"{median(every):.2f} | {max(every):.2f} | {long:g} of {len(rounds[0])}"
    return f"| {protocol.name} | {event} | {figures} | {load} |"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--only", default="", help="protocols whose name has this text")
    told = asked.parse_args()
    chosen = [one for one in PROTOCOLS if told.only in one.name]
    said: dict[str, dict[str, str]] = {}
    print("| protocol | what happens | median s | most s | ≥ 0.5 s | load |\n|---|---|---|---|---|---|", flush=True)
    for protocol in chosen:
        home = Path(tempfile.mkdtemp(prefix="baton-rebalance-"))
        node = Node(home, settings=protocol.broker)
        try:
            node.start()
            group = Group(node.bootstrap, protocol)
            try:
                found = measured(group, told.rounds)
            finally:
                group.close()
            load = f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
            for event in EVENTS:
                print(row(protocol, event, found[event], load), flush=True)
            names = sorted({name for _, name in group.refused})
            print(f"| {protocol.name} | rounds refused: {len(group.refused)} {', '.join(names)} |", flush=True)
            said[protocol.name] = verdicts(node.bootstrap, protocol)
        finally:
            node.kill()
            shutil.rmtree(home, ignore_errors=True)
    print("\n| whose round | " + " | ".join(said) + " |\n" + "|---" * (len(said) + 1) + "|")
    for case in CASES:
        print(f"| {case} | " + " | ".join(of[case] for of in said.values()) + " |")


if __name__ == "__main__":
    main()
