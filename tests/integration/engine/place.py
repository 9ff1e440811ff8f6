"""Topics of a test on a broker, workers on them as processes, and an independent look at what they did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer
from kafka import KafkaAdminClient

from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.watchdog import EXIT_HUNG
from streaming.stage import Message
from streaming.topics import TopicSpec, apply, lag
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.kafka_driver import KafkaDriver
from tests.integration.engine.worker_program import WAKE
from tests.waiting import until

PROGRAM = Path(__file__).with_name("worker_program.py")
ROOT = Path(__file__).parents[3]
WAIT = 60.0
TOLD_LINES = 60
MARK = b"claimed"
"""The key in a changelog under which a round says how far it has come: no key of a record."""


class Worker:
    """A worker's process, and what it said."""

    program = PROGRAM

    def __init__(self, bootstrap: str, prefix: str, home: Path, instance: str = "one", *more: str) -> None:
        home.mkdir(exist_ok=True)
        self.instance, self.more = instance, more
        self.log = home / f"{instance}-{len(list(home.iterdir()))}.log"
        command = [sys.executable, str(self.program), "--bootstrap", bootstrap, "--prefix", prefix]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--instance", instance, "--dir", str(home / "app"), *more],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def ready(self) -> Worker:
        until(lambda: "ready" in self.said() or self.process.poll() is not None, WAIT, "the worker to be ready")
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wake(self) -> None:
        """Let one go on that stands still by its own doing (`worker_program.stand_still`)."""
        self.log.with_name(WAKE).touch()
        self.process.send_signal(signal.SIGCONT)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(WAIT)


class Place:
    """Topics of a test on a broker, and the workers on them."""

    def __init__(self, bootstrap: str, prefix: str, home: Path) -> None:
        self.bootstrap, self.prefix, self.home = bootstrap, prefix, home
        # One that keeps the order, and a record that a broker refuses at first (see `IN_FLIGHT`).
        self.producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "max.in.flight": IN_FLIGHT}
        )
        self.workers: list[Worker] = []
        self.sent = 0
        self.sent_of: Counter[tuple[int, bytes]] = Counter()  # by partition and key
        self.keeps_state = True

    def make_topics(self, *left_out: str) -> None:
        names = {"events", "counts", "counting.failed", "counting.state"} - set(left_out)
        apply(self.bootstrap, [TopicSpec(self.prefix + name, PARTITIONS) for name in sorted(names)])

    def start(self, instance: str = "one", *more: str) -> Worker:
        """`more`: arguments of the worker's program."""
        self.keeps_state = "--no-state" not in more
        self.workers.append(Worker(self.bootstrap, self.prefix, self.home, instance, *more))
        return self.workers[-1]

    def keep_up(self) -> int:
        """Start again who was ended by its watchdog, as a supervisor does; how many. Nobody may end in another way."""
        hung = 0
        for number, worker in enumerate(self.workers):
            if worker.process.poll() is not None:
                assert worker.process.returncode == EXIT_HUNG, worker.said()
                self.workers[number] = Worker(self.bootstrap, self.prefix, self.home, worker.instance, *worker.more)
                hung += 1
        return hung

    def send(self, n: int, keys: int = 40) -> None:
        for number in range(self.sent, self.sent + n):
            key, partition = b"k%d" % (number % keys), number % keys % PARTITIONS
            self.producer.produce(self.prefix + "events", b"%d" % number, key, partition)
            self.sent_of[partition, key] += 1
        assert self.producer.flush(WAIT) == 0, "the brokers did not take all in time"
        self.sent += n

    def done(self) -> int:
        address = KafkaAddress.parse(self.bootstrap)
        return sum(part.committed or 0 for part in lag(address, self.prefix + "counting", [self.prefix + "events"]))

    def settled(self, seconds: float = WAIT) -> None:
        until(lambda: self.done() == self.sent, seconds, f"{self.sent} records to be settled")

    def transactions(self) -> dict[str, str]:
        """What the brokers say of the transactions of this place's workers, by transactional id."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            found = [one for of_one in admin.list_transactions().values() for one in of_one]
        finally:
            admin.close()
        return {one.transactional_id: one.state.value for one in found if self.prefix in one.transactional_id}

    def audit(self) -> None:
        """Every record has one output, in the order of its key, and the state is what comes of that.

        Read by a reader that knows nothing of the engine.
        """
        of: Counter[bytes | None] = Counter()
        counts: dict[bytes | None, list[int]] = defaultdict(list)
        for record in self.records("counts"):
            of[dict(record.headers() or ())["of"]] += 1
            counts[record.key()].append(int(record.value() or b""))

        missing = {b"%d" % n for n in range(self.sent)} - of.keys()
        doubled = [number for number, times in of.items() if times > 1]
        assert (missing, doubled) == (set(), []), f"missing: {sorted(missing)[:9]}, doubled: {doubled[:9]}"
        for key, seen in counts.items():
            assert seen == list(range(1, len(seen) + 1)), f"{key!r} was counted {seen}"

        self.audit_state()

    def audit_state(self) -> None:
        """The last word of the changelog on each key is how many records it had, in the partition that they are in."""
        state = [(record, record.key() or b"") for record in self.records("counting.state")]
        last = {(record.partition(), key): record.value() for record, key in state if key != MARK}
        found = {place: int(value) for place, value in last.items() if value is not None}
        right = dict(self.sent_of) if self.keeps_state else {}
        differ = sorted(place for place in found.keys() | right.keys() if found.get(place) != right.get(place))
        said = {place: (found.get(place), right.get(place)) for place in differ[:9]}
        assert not differ, f"state that was found, and the right one: {said}"

    def records(self, topic: str) -> Sequence[Message]:
        return KafkaDriver(self.bootstrap, self.prefix, self.home).records(self.prefix + topic)

    def close(self) -> None:
        """Leave no worker behind, and say what they said, which pytest shows of a test that failed."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        for log in sorted(self.home.glob("*.log")):
            print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-TOLD_LINES:], sep="\n")
