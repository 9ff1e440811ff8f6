"""A group of members as processes, with a thin steady load on every partition; who settled what is written down."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import IO

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.rebalance.protocols import Protocol
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PARTITIONS, TOPIC, EVERY_SECONDS = 12, "rebalanced", 0.02
QUIET_SECONDS, PATIENCE_SECONDS = 3.0, 120.0


def longest_gap(times: Sequence[float], since: float) -> float:
    """The longest time between two commits of which the later one came after `since`; 0 where there are none."""
    return max((after - before for before, after in itertools.pairwise(times) if after > since), default=0.0)


class Group:
    """Members by name; `settled` has, by partition, when a round with it was committed."""

    def __init__(self, bootstrap: str, protocol: Protocol) -> None:
        self.bootstrap, self.protocol = bootstrap, protocol
        self.settled: dict[int, list[float]] = defaultdict(list)
        self.last: dict[int, str] = {}
        self.refused: list[tuple[float, str]] = []
        self.joined: dict[str, float] = {}
        self.members: dict[str, subprocess.Popen[str]] = {}
        self._born = 0
        self._over = threading.Event()
        admin = AdminClient({"bootstrap.servers": bootstrap})
        made = admin.create_topics([NewTopic(TOPIC, PARTITIONS), NewTopic(f"{TOPIC}.out", 1)])
        for one in made.values():
            one.result(60)
        self._load = threading.Thread(target=self._feed, daemon=True)
        self._load.start()

    def join(self) -> str:
        """Start a member; gives its name."""
        self._born += 1
        name = f"member-{self._born}"
        command = [sys.executable, "-m", "bench.rebalance.member", self.bootstrap, TOPIC, name]
        child = subprocess.Popen(
            [*command, json.dumps(dict(self.protocol.consumer))],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        self.members[name] = child
        assert child.stdout is not None
        threading.Thread(target=self._listen, args=(name, child.stdout), daemon=True).start()
        until(lambda: name in self.joined, PATIENCE_SECONDS, f"{name} to join")
        return name

    def end(self, name: str, how: signal.Signals) -> float:
        """SIGTERM or SIGKILL; gives when."""
        child = self.members.pop(name)
        at = monotonic()
        child.send_signal(how)
        if how is signal.SIGKILL:
            # What it left open would hold its partitions up for as long as a transaction may last, whatever the
            # protocol. As in the engine, whoever takes its id ends that.
            child.wait()
            Producer({"bootstrap.servers": self.bootstrap, "transactional.id": name}).init_transactions(60)
        return at

    def steady(self) -> None:
        """Return once every partition is settled by a member that lives, and by all of them, for a while."""
        since = monotonic()

        def is_steady() -> bool:
            nonlocal since
            now = monotonic()
            fresh = all(now - (self.settled[number] or [0.0])[-1] < 1.0 for number in range(PARTITIONS))
            if not fresh or set(self.last.values()) != set(self.members):
                since = now
            return now - since > QUIET_SECONDS

        until(is_steady, PATIENCE_SECONDS, "a steady group")

    def standstills(self, since: float) -> list[float]:
        """By partition, see `longest_gap`."""
        return [longest_gap(self.settled[number], since) for number in range(PARTITIONS)]

    def close(self) -> None:
        """End all of it."""
        self._over.set()
        for child in self.members.values():
            os.kill(child.pid, signal.SIGKILL)
        for child in self.members.values():
            child.wait()
        self._load.join()

    def _listen(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            told = json.loads(line)
            if "joining" in told:
                self.joined[name] = told["at"]
            elif "refused" in told:
                self.refused.append((told["at"], told["refused"]))
            for number in told.get("settled", ()):
                self.settled[number].append(told["at"])
                self.last[number] = name

    def _feed(self) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 0})
        while not self._over.wait(EVERY_SECONDS):
            for number in range(PARTITIONS):
                producer.produce(TOPIC, b"record", partition=number)
            producer.poll(0)
