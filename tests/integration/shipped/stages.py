"""Ingest, scoring and routing as they ship, each on topics of its own: what it is given, and what became of that.

None waits for the one before it: what it is given stands in its source at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import Producer
from kafka.admin import ConfigResource, ConfigResourceType

from baton import configuration, provisioning
from baton.settings import Settings
from services.ingest.stage import make_stage as ingest
from services.routing.ledger import BoundedOutbox, Ledger
from services.routing.stage import make_stage as routing
from services.scoring.stage import make_stage as scoring
from streaming import topics
from streaming.admin import ask
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.stage import Stage
from tests.audit import checks
from tests.audit.findings import Finding
from tests.audit.ledger import read_ledger
from tests.audit.records import Seen, read_all
from tests.faults.workers import ROOT, Worker
from tests.integration.up.installation import CONFIG, SOURCES, Servers
from tests.kafka.node import free_port
from tests.unit.routing import world
from tests.unit.scoring.scoring_world import value
from tests.waiting import until

OUTPUTS = {"ingest": "leads.events", "scoring": "leads.scored", "routing": "sales.assignments"}
PARTITIONS, PEOPLE = 4, 40
WAIT = 90.0
TOLD_LINES = 60
RUBBISH = b'{"event_id": '
LONG = "long " * 180
"""A field's text of 900 bytes."""


class Shipped:
    """One of them. `given` counts the good records in its source, `rubbish` those that nobody can read."""

    def __init__(self, name: str, servers: Servers, home: Path) -> None:
        self.name, self.servers, self.home = name, servers, home
        home.mkdir(parents=True)
        self.settings = Settings(
            kafka=servers.kafka,
            database_url=servers.database,
            config_dir=CONFIG,
            data_dir=home / "data",
            topic_prefix=servers.prefix,
            partitions=PARTITIONS,
        )
        self.source, self.output = self.topic(SOURCES[name]), self.topic(OUTPUTS[name])
        self.failed_topic = self.topic(f"{name}.failed")
        self.group = self.topic(f"baton-{name}")
        self.workers: dict[str, Worker] = {}
        self.urls: dict[str, str] = {}
        self.given = self.rubbish = 0
        self._ledger: Ledger | None = None
        self._producer = Producer(
            {"bootstrap.servers": servers.kafka, "enable.idempotence": True, "max.in.flight": IN_FLIGHT}
        )

    def topic(self, name: str) -> str:
        return self.servers.prefix + name

    def make_topics(self) -> None:
        """Those that it reads and writes, as `baton topics apply` makes them."""
        stage = self.make_stage()
        names = {stage.source, stage.failed, *stage.outputs, self.topic(f"{self.name}.state")}
        if self.name == "routing":
            names.add(self.topic("sales.outcomes"))
        specs = provisioning.topic_specs(self.settings, provisioning.queues_of(CONFIG))
        topics.apply(self.servers.kafka, [spec for spec in specs if spec.name in names])

    def make_stage(self) -> Stage:
        """The stage as its worker makes it."""
        prefix = self.servers.prefix
        if self.name == "ingest":
            return ingest(configuration.sources(CONFIG), prefix)
        if self.name == "scoring":
            return scoring(configuration.ruleset(CONFIG), prefix)
        plan = configuration.plan(CONFIG)
        return routing(plan, BoundedOutbox(self.ledger, self.settings.outbox_most), prefix)

    @property
    def ledger(self) -> Ledger:
        """The ledger, in this process."""
        if self._ledger is None:
            self._ledger = Ledger.at(provisioning.demand_tables(self.settings))
        return self._ledger

    def environment(self, instance: str, **more: str) -> dict[str, str]:
        """What its worker is told; where it can be asked how it is, `urls` says from now on."""
        port = free_port()
        self.urls[instance] = f"http://127.0.0.1:{port}"
        told = {"BATON_METRICS_PORT": str(port), "BATON_INSTANCE": instance, "BATON_DATA_DIR": str(self.home / "data")}
        return self.servers.environment | told | {"PYTHONPATH": str(ROOT)} | more

    def start(self, instance: str = "one", **more: str) -> Worker:
        """A worker as a process, started. `more`: settings, by the names of their variables."""
        command = [sys.executable, "-m", "baton", self.name]
        worker = Worker(self.name, instance, command, self.environment(instance, **more), self.home)
        self.workers[instance] = worker
        worker.start()
        return worker

    def said(self, instance: str = "one") -> str:
        return (self.home / f"{self.name}-{instance}.log").read_text(errors="replace")

    def readiness(self, instance: str = "one") -> tuple[int, dict[str, str]]:
        """What `/readyz` answers, and by condition why it does not hold; 0 where nobody answers."""
        try:
            answer = httpx.get(f"{self.urls[instance]}/readyz", timeout=10)
        except httpx.TransportError:
            return 0, {}
        conditions = answer.json()["conditions"].items()
        return answer.status_code, {name: told["why"] for name, told in conditions if not told["ok"]}

    def is_ready(self, instance: str = "one") -> bool:
        return self.readiness(instance)[0] == 200

    def give(self, count: int, size: int = 1, *, people: int = PEOPLE, qualified: int = 1) -> None:
        """Good records, of so many parts of 900 bytes beside what makes them a record; see `record_of`."""
        for number in range(self.given, self.given + count):
            self._give(record_of(self.name, number, size, people, qualified), number % people % PARTITIONS)
        self.given += count
        self._flush()

    def give_rubbish(self, count: int, *, between: bool = False) -> None:
        """Records that nobody can read, all in partition 0; on wish a good one after each."""
        for _ in range(count):
            self._give((b"rubbish", RUBBISH), 0)
            if between:
                self._give(record_of(self.name, PEOPLE * self.given), 0)
                self.given += 1
        self.rubbish += count
        self._flush()

    def _give(self, record: tuple[bytes, bytes], partition: int) -> None:
        key, what = record
        while True:
            try:
                return self._producer.produce(self.source, what, key, partition)
            except BufferError:
                self._producer.poll(0.1)

    def _flush(self) -> None:
        assert self._producer.flush(WAIT) == 0, "the broker did not take all in time"

    def committed(self) -> dict[int, int]:
        """Offsets by partition that its group has committed, by an admin client; 0 where there is none."""
        address = KafkaAddress.parse(self.servers.kafka)
        found = ask(address, lambda admin: admin.list_group_offsets([self.group])[self.group], WAIT)
        at = {slot.partition: said.offset for slot, said in found.items() if slot.topic == self.source}
        return {number: max(0, at.get(number, 0)) for number in range(PARTITIONS)}

    def owned(self) -> dict[str, set[int]]:
        """Partitions of its source by the name of the worker that they are of, as the group says."""
        address = KafkaAddress.parse(self.servers.kafka)
        found = ask(address, lambda admin: admin.describe_groups([self.group])[self.group]["members"], WAIT)
        return {
            member["client_id"].removeprefix(f"{self.group}-"): {
                partition
                for at in member["member_assignment"]["assigned_partitions"]
                if at["topic"] == self.source
                for partition in at["partitions"]
            }
            for member in found
            if member["member_assignment"]
        }

    def done(self) -> dict[int, int]:
        """Where each partition of its source goes on: by its group, of routing by the ledger."""
        if self.name != "routing":
            return self.committed()
        with psycopg.connect(self.servers.database) as connection:
            found = connection.execute("SELECT partition, next FROM positions WHERE topic = %s", [self.source])
            return dict.fromkeys(range(PARTITIONS), 0) | dict(found.fetchall())

    def is_settled(self) -> bool:
        """Whether it has done all it was given, and whoever publishes what it made of that, too."""
        done = sum(self.done().values()) == self.given + self.rubbish
        return done and (self.name != "routing" or not read_ledger(self.servers.database).unpublished)

    def settled(self, seconds: float = WAIT) -> None:
        until(self.is_settled, seconds, f"{self.name} to settle {self.given + self.rubbish} records", every=0.2)

    def seen(self, name: str) -> list[Seen]:
        return read_all(self.servers.kafka, [self.topic(name)])

    def failed(self) -> list[Seen]:
        return self.seen(f"{self.name}.failed")

    def violations(self) -> list[str]:
        """What a reader that shares no code with it finds wrong, once it is settled."""
        source, outputs, failed = self.seen(SOURCES[self.name]), self.seen(OUTPUTS[self.name]), self.failed()
        return [str(finding) for finding in self._findings(source, outputs, failed)]

    def _findings(self, source: list[Seen], outputs: list[Seen], failed: list[Seen]) -> Iterator[Finding]:
        if self.name == "ingest":
            yield from checks.nothing_is_doubled("ingest", OUTPUTS[self.name], outputs)
            yield from checks.every_event_is_ingested(source, outputs, failed)
        elif self.name == "scoring":
            yield from checks.nothing_is_doubled("scoring", OUTPUTS[self.name], outputs)
            yield from checks.every_lead_event_is_scored_once(source, outputs, failed)
        else:
            ledger = read_ledger(self.servers.database)
            queues = {name: self.seen(f"sales.queue.{name}") for name in provisioning.queues_of(CONFIG)}
            yield from checks.nothing_is_doubled("routing", OUTPUTS[self.name], outputs)
            yield from checks.every_qualified_lead_is_assigned_once(source, failed, ledger, [])
            yield from checks.every_assignment_is_on_its_queue_once(queues, ledger)
            yield from checks.every_change_is_published_in_order(outputs, ledger)

    def limit_output(self, most_bytes: int) -> None:
        """How large a batch the topic of its output takes."""
        change = ConfigResource(ConfigResourceType.TOPIC, self.output, {"max.message.bytes": str(most_bytes)})
        ask(KafkaAddress.parse(self.servers.kafka), lambda admin: admin.alter_configs([change]), WAIT)

    def close(self) -> None:
        """Leave no worker behind, and say what they said, which pytest shows of a test that failed."""
        for worker in self.workers.values():
            worker.kill()
        if self._ledger is not None:
            self._ledger.close()
        for log in sorted(self.home.glob("*.log")):
            print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-TOLD_LINES:], sep="\n")


def record_of(stage: str, number: int, size: int = 1, people: int = PEOPLE, qualified: int = 1) -> tuple[bytes, bytes]:
    """Key and value that the stage can use, of one of the people.

    Of routing each is a lead of its own, and every so manieth has qualified.
    """
    person = f"p{number % people}"
    if stage == "ingest":
        event: dict[str, Any] = {
            "event_id": f"e{number}",
            "type": "page_viewed",
            "occurred_at": "2026-05-01T10:00:00Z",
            "source": "website",
            "subject": {"email": f"{person}@firm.com"},
            "properties": dict(_long(("path", "title", "referrer"), size)),
        }
        return person.encode(), json.dumps(event).encode()
    if stage == "scoring":
        attributes = dict(_long(("city", "industry", "region"), size))
        return person.encode(), value(f"e{number}", lead=person, attributes=attributes)
    lead = f"l{number}"
    who = {"email": f"{lead}@firm.com"} | dict(_long(("city",), size))
    moved = {} if number % qualified == 0 else {"stage": "inquiry", "transition": None}
    return lead.encode(), world.lead(lead, person=who, **moved).to_json()


def _long(names: Iterable[str], size: int) -> Iterator[tuple[str, str]]:
    """So many fields of 900 bytes: those of these names, then others."""
    every = [*names, *(f"more_{n}" for n in range(size))]
    return ((name, LONG) for name in every[: size - 1])
