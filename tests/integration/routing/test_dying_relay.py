"""A routing worker dies within a transaction of its relay: how long readers of a sales queue wait, and what ends that.

Each case asserts what follows from the settings, so that a slower way to get on is found out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from baton import provisioning
from baton.settings import Settings
from services.routing.ledger import Ledger
from services.routing.relay import STANDBY_SECONDS
from tests.audit.ledger import read_ledger
from tests.audit.records import read_all
from tests.integration.routing.desk import rows
from tests.integration.routing.dying_worker import TOLD
from tests.unit.routing import world
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(200)]

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "tests" / "cases" / "a-form-reaches-its-queue" / "config"
SHIPS, DIES = "baton", "tests.integration.routing.dying_worker"
LEADS = 40
WAIT = 60.0

TRANSACTION_SECONDS = 10.0
"""As the relay asks for it."""
BROKER_LOOKS_SECONDS = 10.0
"""`transaction.abort.timed.out.transaction.cleanup.interval.ms`, by default."""
TAKING_OVER_SECONDS = 4.0
"""To take the lock and the id, and for the reader to be given what it waited for, on a crowded machine."""

STANDING_BY = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock(%'
"""
"""The relays' own connections: that of the one with the lock, and of those that ask for it."""


class Site:
    """Topics, a ledger, and routing workers on them as processes."""

    def __init__(self, kafka: str, database: str, prefix: str, home: Path) -> None:
        self.kafka, self.prefix, self.home = kafka, prefix, home
        self.queue = prefix + "sales.queue.general"
        settings = Settings(
            kafka=kafka, database_url=database, config_dir=CONFIG, topic_prefix=prefix, partitions=1, data_dir=home
        )
        provisioning.apply_topics(settings, provisioning.queues_of(CONFIG))
        self.environment = {
            "BATON_KAFKA": kafka,
            "BATON_DATABASE_URL": database,
            "BATON_CONFIG_DIR": str(CONFIG),
            "BATON_TOPIC_PREFIX": prefix,
            "BATON_METRICS_PORT": "0",
            "PYTHONPATH": str(ROOT),
        }
        self.producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "max.in.flight": 1})
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, program: str) -> subprocess.Popen[bytes]:
        name = f"w{len(self.workers)}"
        environment = self.environment | {"BATON_INSTANCE": name, "BATON_DATA_DIR": str(self.home / name)}
        with (self.home / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", program, "routing"]
            self.workers.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment}))
        return self.workers[-1]

    def send_leads(self) -> None:
        for n in range(LEADS):
            lead = world.lead(f"lead-{n}")
            self.producer.produce(self.prefix + "leads.scored", lead.to_json(), lead.lead_id.encode())
        assert self.producer.flush(WAIT) == 0

    def close(self) -> None:
        """Leave no worker behind, and say what they said, which pytest shows of a test that failed."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for log in sorted(self.home.glob("*.log")):
            print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-40:], sep="\n")


@pytest.fixture
def site(real_kafka: str, database_url: str, ledger: Ledger, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(real_kafka, database_url, topic_prefix, tmp_path)
    yield made
    made.close()


def held_up(site: Site, ledger: Ledger, beside: bool, after: Callable[[], object]) -> float:
    """For how many seconds a reader of the queue is given nothing that was written after the death of a relay.

    `beside`: whether a second worker stands by; `after` is called at once when the first one is dead.
    """
    dying = site.start(DIES)
    until(lambda: len(rows(ledger, STANDING_BY)) == 1, WAIT, "the relay to have the lock")
    if beside:
        site.start(SHIPS)
        until(lambda: len(rows(ledger, STANDING_BY)) == 2, WAIT, "a second relay to stand by")
    site.send_leads()
    assert dying.wait(WAIT) == -9
    died = monotonic()
    assert TOLD in (site.home / "w0.log").read_text()
    after()
    site.producer.produce(site.queue, b"{}", b"behind", 0)
    assert site.producer.flush(WAIT) == 0
    told = {"bootstrap.servers": site.kafka, "group.id": "sales", "isolation.level": "read_committed"}
    with closing(Consumer(told)) as reader:
        reader.assign([TopicPartition(site.queue, 0, 0)])
        until(lambda: reader.poll(0.1), WAIT, "the queue's reader to get on", every=0)
    return monotonic() - died


def nothing_lost_or_doubled(site: Site, ledger: Ledger) -> None:
    """Every lead has one assignment, which is on its queue and told once."""
    until(lambda: not rows(ledger, "SELECT 1 FROM outbox"), WAIT, "an empty outbox")
    assigned = read_ledger(ledger.engine.url.render_as_string(hide_password=False)).assignments
    due = Counter(f"lead-{n}" for n in range(LEADS))
    on_queue = Counter(seen.key for seen in read_all(site.kafka, [site.queue])) - Counter(["behind"])
    changes = Counter(seen.key for seen in read_all(site.kafka, [site.prefix + "sales.assignments"]))

    assert due == Counter(one.lead_id for one in assigned) == on_queue == changes


def test_a_second_worker_takes_the_relay_over_and_frees_readers(site: Site, ledger: Ledger) -> None:
    seconds = held_up(site, ledger, beside=True, after=lambda: None)
    print(f"readers of the queue waited {seconds:.1f} s for the relay of another worker")

    assert seconds < STANDBY_SECONDS + TAKING_OVER_SECONDS < TRANSACTION_SECONDS
    nothing_lost_or_doubled(site, ledger)


def test_a_worker_that_is_started_again_frees_readers_as_it_begins(site: Site, ledger: Ledger) -> None:
    begun: list[float] = []

    def start_again() -> None:
        until(lambda: not rows(ledger, STANDING_BY), WAIT, "the database to see that the relay is gone", every=0.02)
        site.start(SHIPS)
        started = monotonic()
        until(lambda: rows(ledger, STANDING_BY), WAIT, "its relay to ask for the lock", every=0.02)
        begun.append(monotonic() - started)

    seconds = held_up(site, ledger, beside=False, after=start_again)
    print(f"readers of the queue waited {seconds:.1f} s, {begun[0]:.1f} s of them for a process to start")

    assert seconds - begun[0] < TAKING_OVER_SECONDS
    nothing_lost_or_doubled(site, ledger)


def test_where_nobody_is_left_the_broker_frees_readers(site: Site, ledger: Ledger) -> None:
    seconds = held_up(site, ledger, beside=False, after=lambda: None)
    print(f"readers of the queue waited {seconds:.1f} s for the broker")
    left = rows(ledger, "SELECT 1 FROM outbox")

    assert seconds < TRANSACTION_SECONDS + BROKER_LOOKS_SECONDS + TAKING_OVER_SECONDS
    assert len(left) >= 2, "what it had in hand is still there"
    site.start(SHIPS)
    nothing_lost_or_doubled(site, ledger)
