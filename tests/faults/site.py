"""Everything that a run needs: a broker, a database, workers of five stages, feeders, and eyes on all of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError

from baton import provisioning
from baton.settings import Settings
from schemas.topics import changelog
from tests.faults.closed_form import PARTITIONS
from tests.faults.database import Database
from tests.faults.feed import PeopleFeeder, SumsFeeder
from tests.faults.patience import in_time
from tests.faults.progress import Look, LookAtLedger, Watch
from tests.faults.workers import ROOT, Crew, Worker
from tests.kafka.node import Node

CONFIG = Path(__file__).parent / "config"
KEPT, TOLD, PATH = "kept.", "told.", "path."
SUMS = {"sums in Kafka": (KEPT, "events"), "sums in the ledger": (TOLD, "leads.scored")}
PATH_STAGES = {"ingest": "marketing.events", "scoring": "leads.events", "routing": "leads.scored"}
STAGES = (*SUMS, *PATH_STAGES)
WORKERS = {"sums in Kafka": 2, "sums in the ledger": 2, "ingest": 2, "scoring": 2, "routing": 2}
AHEAD = 1_600
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "2000",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "60000",
}
NODE = {"log.cleaner.backoff.ms": "1000", "log.cleaner.threads": "1"}


class Site:
    """Set up by `open`; `close` leaves nothing running."""

    def __init__(self, home: Path, stages: Sequence[str] = STAGES) -> None:
        self.home, self.stages = home, tuple(stages)
        self.logs = home / "logs"
        self.logs.mkdir(parents=True)
        self.node = Node(home / "kafka", settings=NODE)
        self.crew = Crew()
        self.watches: dict[str, Watch] = {}
        self.sums: dict[str, SumsFeeder] = {}
        self.people: PeopleFeeder | None = None

    @property
    def feeders(self) -> list[SumsFeeder | PeopleFeeder]:
        return [*self.sums.values(), *([self.people] if self.people else [])]

    def stages_of(self, some: Iterable[str]) -> list[str]:
        """Those of the stages that this site has."""
        return [stage for stage in some if stage in self.stages]

    def open(self) -> None:
        self.node.start()
        self.database = Database(self.home)
        self._provision()
        for stage in self.stages:
            self.watches[stage] = Watch(stage, self._look(stage))
        for stage in self.stages_of(SUMS):
            prefix, source = SUMS[stage]
            self.sums[stage] = SumsFeeder(self.node.bootstrap, prefix + source, AHEAD, self.watches[stage].done)
        if self.stages_of(PATH_STAGES):
            self.people = PeopleFeeder(self.node.bootstrap, PATH, 0.5)
        for stage in self.stages:
            for number in range(WORKERS[stage]):
                self.crew.add(self.worker(stage, f"w{number}"))
        self.crew.watch()
        for feeder in self.feeders:
            feeder.start()
        in_time(lambda: all(watch.done() > 0 for watch in self.watches.values()), 300, "every stage to begin")

    def close(self) -> None:
        self.node.resume()
        for feeder in self.feeders:
            feeder.stop.set()
        self.crew.kill()
        for watch in self.watches.values():
            watch.end()
        if hasattr(self, "database"):
            self.database.stop()
        self.node.stop()

    def remove(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    def worker(self, stage: str, instance: str) -> Worker:
        """A worker of a stage, not started."""
        if stage in SUMS:
            prefix, source = SUMS[stage]
            command = [sys.executable, "-m", "tests.faults.program", "--bootstrap", self.node.bootstrap]
            command += [
                "--prefix",
                prefix,
                "--source",
                source,
                "--instance",
                instance,
                "--dir",
                str(self.folder(stage)),
            ]
            if prefix == TOLD:
                command += ["--database", self.database.url("sums")]
            return Worker(stage, instance, command, {"PYTHONPATH": str(ROOT)}, self.logs)
        environment = self.environment | {"BATON_INSTANCE": instance, "BATON_DATA_DIR": str(self.folder(stage))}
        return Worker(stage, instance, [sys.executable, "-m", "baton", stage], environment, self.logs)

    def folder(self, stage: str) -> Path:
        found = self.home / stage.replace(" ", "-")
        found.mkdir(exist_ok=True)
        return found

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BATON_KAFKA": self.node.bootstrap,
            "BATON_DATABASE_URL": self.database.url("path"),
            "BATON_CONFIG_DIR": str(CONFIG),
            "BATON_TOPIC_PREFIX": PATH,
            "BATON_PARTITIONS": str(PARTITIONS),
            "BATON_METRICS_PORT": "0",
            "PYTHONPATH": str(ROOT),
        }

    def group(self, stage: str) -> str:
        return f"{SUMS[stage][0]}sums" if stage in SUMS else f"{PATH}baton-{stage}"

    def source(self, stage: str) -> str:
        return "".join(SUMS[stage]) if stage in SUMS else PATH + PATH_STAGES[stage]

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Anew each time, and not librdkafka's: an assertion in that one may end the process, and with it the run."""
        client = KafkaAdminClient(bootstrap_servers=self.node.bootstrap, request_timeout_ms=10_000)
        try:
            yield client
        finally:
            client.close()

    def owned(self, worker: Worker) -> set[int]:
        """Partitions that the group says are this worker's; empty where it cannot be told."""
        return self.owners(worker.stage).get(worker.instance, set())

    def owners(self, stage: str) -> dict[str, set[int]]:
        """By instance the partitions that the group says are its; empty where it cannot be told."""
        group, source = self.group(stage), self.source(stage)
        try:
            with self.admin() as admin:
                members = admin.describe_groups([group])[group]["members"]
        except KafkaError:
            return {}
        found: dict[str, set[int]] = {}
        for member in members:
            told = member["member_assignment"]
            topics = told["assigned_partitions"] if told else []
            partitions = {number for at in topics if at["topic"] == source for number in at["partitions"]}
            found.setdefault(member["client_id"].removeprefix(f"{group}-"), set()).update(partitions)
        return found

    def before(self, stage: str) -> list[str]:
        """The stages of the path that a stage of it waits for."""
        return list(PATH_STAGES)[: list(PATH_STAGES).index(stage)]

    def make_side_topic(self, stage: str) -> None:
        """Of one of the sums. Raises KafkaError."""
        side = {"retention.ms": "60000", "segment.ms": "10000"}
        self._make([NewTopic(SUMS[stage][0] + "side", PARTITIONS, 1, topic_configs=side)])

    def delete_side_topic(self, stage: str) -> None:
        with self.admin() as admin:
            admin.delete_topics([SUMS[stage][0] + "side"], timeout_ms=30_000)

    def _make(self, topics: Sequence[NewTopic]) -> None:
        with self.admin() as admin:
            admin.create_topics(topics, timeout_ms=30_000)

    def _provision(self) -> None:
        plain = [f"{KEPT}events", f"{KEPT}out", f"{KEPT}sums.failed"]
        plain += [f"{TOLD}leads.scored", f"{TOLD}out", f"{TOLD}sums.failed"]
        topics = [NewTopic(name, PARTITIONS, 1) for name in plain]
        topics.append(NewTopic(f"{KEPT}sums.state", PARTITIONS, 1, topic_configs=COMPACTED))
        topics.append(NewTopic(f"{TOLD}routing.state", PARTITIONS, 1, topic_configs=COMPACTED))
        self._make(topics)
        for stage in SUMS:
            self.make_side_topic(stage)
        path = Settings(
            kafka=self.node.bootstrap,
            database_url=self.database.url("path"),
            config_dir=CONFIG,
            topic_prefix=PATH,
            partitions=PARTITIONS,
        )
        provisioning.apply_topics(path, provisioning.queues_of(CONFIG))
        provisioning.apply_roster(path)
        states = [PATH + changelog(stage) for stage in PATH_STAGES]
        with self.admin() as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, COMPACTED) for name in states])

    def _look(self, stage: str) -> Look:
        told = (self.node.bootstrap, self.group(stage), self.source(stage), PARTITIONS)
        if stage == "sums in the ledger":
            return LookAtLedger(*told, self.database.bare_url("sums"))
        if stage == "routing":
            return LookAtLedger(*told, self.database.bare_url("path"))
        return Look(*told)

    def _has_done_all(self, stage: str) -> bool:
        return self.watches[stage].positions == dict(self.sums[stage].ends)

    def settled(self, seconds: float) -> None:
        """Come back once the feeders have ended and both sums have nothing left to do. Raises TimeoutError."""
        for feeder in self.feeders:
            feeder.end()
        for stage, sums in self.sums.items():
            in_time(
                partial(self._has_done_all, stage),
                seconds,
                f"{stage} to do all of {sums.sent} events",
                every=0.2,
            )
