"""Topics of two stages in a row, workers that run both in one process, and an independent look at what they did."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from streaming.client import KafkaAddress
from streaming.topics import TopicSpec, apply, lag
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.place import MARK, WAIT, Place, Worker
from tests.waiting import until

SOURCES = {"counting": "events", "linking": "counts"}
LIMIT = 5
"""Failures in a row that open a breaker."""


def chained(total: int, number: int) -> int:
    """A checksum that depends on the order."""
    return (total * 31 + number) % 1_000_000_007


class ChainWorker(Worker):
    program = Path(__file__).with_name("chain_program.py")

    @property
    def probes(self) -> str:
        found = re.search(r"probes at (\S+)", self.said())
        assert found is not None, self.said()
        return found[1]


class Chain(Place):
    """`bad` events are taken by the first stage and fail in the second."""

    def __init__(self, bootstrap: str, prefix: str, home: Path) -> None:
        super().__init__(bootstrap, prefix, home)
        self.bad: set[bytes] = set()
        both = [f"{stage}.{what}" for stage in SOURCES for what in ("failed", "state")]
        apply(bootstrap, [TopicSpec(prefix + name, PARTITIONS) for name in ("events", "counts", "sums", *both)])

    def start(self, instance: str = "one", *more: str) -> ChainWorker:
        worker = ChainWorker(self.bootstrap, self.prefix, self.home, instance, *more)
        self.workers.append(worker)
        return worker

    def send_bad(self, n: int, key: bytes) -> None:
        """To one partition, one after the other."""
        for number in range(len(self.bad), len(self.bad) + n):
            self.producer.produce(self.prefix + "events", b"bad %d" % number, key, 0)
            self.bad.add(b"bad %d" % number)
        self.producer.flush(WAIT)
        self.sent_of[0, key] += n

    def left(self, stage: str) -> int:
        """Records that a stage has before it now."""
        address = KafkaAddress.parse(self.bootstrap)
        group = f"{self.prefix}both-{stage}"
        return sum(part.records for part in lag(address, group, [self.prefix + SOURCES[stage]]))

    def under_way(self) -> dict[str, int]:
        """Comes back once both stages have settled something and have work left; how much."""

        def left() -> dict[str, int]:
            found = {stage: self.left(stage) for stage in SOURCES}
            return found if 0 < found["counting"] < self.sent and found["linking"] > 0 else {}

        return until(left, WAIT, "both stages to be at work")

    def settled(self, seconds: float = 2 * WAIT) -> None:
        """`seconds` are each stage's."""
        until(lambda: self.left("counting") == 0, seconds, "the first stage to settle all")
        until(lambda: self.left("linking") == 0, seconds, "the second stage to settle all")

    def audit(self) -> None:
        """Each event has one output of each stage, in the order of its key, and both states are what comes of that."""
        events = {b"%d" % number for number in range(self.sent)}
        self._audit_outputs("counts", events | self.bad)
        self._audit_outputs("sums", events)
        failed = Counter(dict(record.headers() or ())["of"] for record in self.records("linking.failed"))
        assert failed == Counter(self.bad)
        assert not self.records("counting.failed")

        of_key: Counter[bytes] = Counter()
        for (_, key), number in self.sent_of.items():
            of_key[key] += number
        good = {key: number for key, number in of_key.items() if key not in self._bad_keys()}
        assert self._state("counting") == {key: b"%d" % number for key, number in of_key.items()}
        assert self._state("linking") == {key: b"[%d,%d]" % (n, _sum_to(n)) for key, n in good.items()}

    def _audit_outputs(self, topic: str, right: set[bytes]) -> None:
        of: Counter[bytes | None] = Counter()
        said: dict[bytes | None, list[bytes]] = defaultdict(list)
        for record in self.records(topic):
            of[dict(record.headers() or ())["of"]] += 1
            said[record.key()].append(record.value() or b"")
        doubled = sorted(value or b"" for value, times in of.items() if times > 1)
        missing = sorted(right - of.keys())
        assert (missing[:9], doubled[:9]) == ([], []), f"{topic}: {len(missing)} missing, {len(doubled)} doubled"
        assert of.keys() == right
        for key, values in said.items():
            numbers = range(1, len(values) + 1)
            wanted = [b"%d" % n if topic == "counts" else b"%d %d" % (n, _sum_to(n)) for n in numbers]
            assert values == wanted, f"{topic}: {key!r} has {values[:20]}"

    def _state(self, stage: str) -> dict[bytes, bytes]:
        """The last word of a changelog on each key, which no other partition has."""
        last: dict[bytes, bytes] = {}
        where: dict[bytes, set[int]] = defaultdict(set)
        for record in self.records(f"{stage}.state"):
            key, value = record.key() or b"", record.value()
            if key != MARK and value is not None:
                last[key] = value
                where[key].add(record.partition())
        assert all(len(numbers) == 1 for numbers in where.values())
        return last

    def _bad_keys(self) -> set[bytes]:
        return {record.key() or b"" for record in self.records("linking.failed")}


def _sum_to(last: int) -> int:
    total = 0
    for number in range(1, last + 1):
        total = chained(total, number)
    return total
