"""`baton up`, from start to stop."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from sqlalchemy import Engine

from baton import check, configuration, provisioning
from baton.embedded.child import tail
from baton.settings import Settings
from baton.up import ledger_view, plan, ports, state
from baton.up.breakers import Breakers, reason
from baton.up.last_error import last_error
from baton.up.presenters import Presenter
from baton.up.sampler import Sampler
from baton.up.servers import Servers
from baton.up.snapshot import Snapshot
from baton.up.stages import read_workers
from baton.up.stopping import Stopping
from baton.up.supervisor import Supervisor
from baton.up.tips import tips, typed
from baton.up.worker import WorkerSpec, log_of, spawner
from streaming.faust.offsets import LOST

_STARTS_WITHIN = 90.0  # seconds; restoring a large state takes a while
_TICK = 0.2
_SHOWN_EVERY = 0.5
_BROKER_LOST = "(The embedded broker lost what it had acknowledged: stop Baton and delete its data folder, {})"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for."""

    counts: dict[str, int]
    demo: plan.Demo | None = None


def up(settings: Settings, options: Options, presenter: Presenter) -> int:
    """Run everything until it is told to stop. Raises `Refusal` and `FaultyConfiguration` before anything runs."""
    for fault in check.unknown(os.environ):
        presenter.notice(f"{fault.message}. {fault.mend}")
    routing = configuration.plan(settings.config_dir)
    configuration.sources(settings.config_dir)
    configuration.ruleset(settings.config_dir)
    with state.only_one(settings.data_dir):
        ports.demand(settings)
        stopping = Stopping()
        stopping.listen()
        servers = Servers(settings, settings.data_dir, presenter.notice)
        try:
            if servers.embedded:
                presenter.step(f"starting {' and '.join(servers.embedded)}")
            servers.start()
            told = settings.model_copy(update={"kafka": servers.kafka, "database_url": servers.database_url})
            presenter.step("topics, tables, roster")
            _provide(told, list(routing.queues))
            weighted = {name for name, queue in routing.queues.items() if queue.method == "weighted_round_robin"}
            _House(told, options, servers, presenter, stopping, weighted).live()
        finally:
            servers.stop()
            state.remove(settings.data_dir)
            presenter.close()
    return 0


def _provide(settings: Settings, queues: list[str]) -> None:
    """Topics and, at the same time, tables and roster. Raises `Refusal`."""
    with ThreadPoolExecutor(1) as beside:
        topics = beside.submit(provisioning.apply_topics, settings, queues)
        provisioning.upgrade_database(settings)
        provisioning.apply_roster(settings)
        topics.result()


@dataclass(slots=True)
class _House:
    """The workers and those who watch them, while the servers run."""

    settings: Settings
    options: Options
    servers: Servers
    presenter: Presenter
    stopping: Stopping
    weighted: set[str]
    seen: set[str] = field(default_factory=set)
    told: bool = False

    def live(self) -> None:
        demo_secrets = {"GOOGLE_LEADS_KEY": secrets.token_urlsafe(16)} if self.options.demo else {}
        where = plan.Servers(self.servers.kafka, self.servers.database_url, self.servers.embedded_broker)
        specs, notices = plan.workers(self.settings, where, self._counts(), demo_secrets)
        for text in notices:
            self.presenter.notice(text)
        logs = self.settings.data_dir / "logs"
        # An embedded broker dies with us too: its workers could not settle anything any more.
        tie = signal.SIGKILL if where.embedded_broker else signal.SIGTERM
        supervisor = Supervisor(
            spawner(logs, tie=tie),
            self.presenter.notice,
            last_words=lambda name: tail(log_of(logs, name)),
            log_of=lambda name: str(log_of(logs, name)),
            why=lambda name: self._why(tail(log_of(logs, name))),
        )
        try:
            self.presenter.step("workers")
            supervisor.start(specs, within=_STARTS_WITHIN, stopped=self.stopping.asked)
            if self.stopping.asked():
                return
            with _engine(self.servers.database_url) as engine:
                # Before anybody hears that we are ready: a lead that comes right then is news.
                self.seen = ledger_view.known(engine)
                self._ready(supervisor, specs)
                if self.options.demo:
                    collector, sales = self._address(specs, "collector"), self._address(specs, "sales")
                    told = plan.traffic(self.settings, self.options.demo, collector, sales, demo_secrets)
                    supervisor.start([told], within=_STARTS_WITHIN)
                self._watch(supervisor, specs, engine)
        finally:
            if supervisor.workers:
                self.presenter.step("stopping")
            supervisor.stop(hurry=self.stopping.hurry)

    def _why(self, log: str) -> str:
        """Why a worker ended, by the last lines of its log, and the mend where it is the embedded broker's doing."""
        why = last_error(log)
        if self.servers.embedded_broker and LOST in why:
            why += f" {_BROKER_LOST.format(self.settings.data_dir)}"
        return why

    def _counts(self) -> dict[str, int]:
        counts = self.options.counts
        if self.servers.embedded_broker and any(number > 1 for number in counts.values()):
            self.presenter.notice("the embedded broker takes one worker a stage; several need BATON_KAFKA")
            return dict.fromkeys(counts, 1)
        return counts

    def _ready(self, supervisor: Supervisor, specs: list[WorkerSpec]) -> None:
        probes = {spec.name: spec.probes for spec in specs if spec.probes is not None}
        running = state.Running(
            pid=os.getpid(),
            born=state.born(os.getpid()),
            collector=self._address(specs, "collector"),
            sales=self._address(specs, "sales"),
            kafka=self.servers.kafka,
            database_url=self.servers.database_url,
            metrics=[f"{address}/metrics" for address in probes.values()],
            pids=supervisor.pids(),
            data_dir=str(Path(self.settings.data_dir).absolute()),
            topic_prefix=self.settings.topic_prefix,
            probes=probes,
        )
        state.write(self.settings.data_dir, running)
        self.presenter.ready(running)

    def _watch(self, supervisor: Supervisor, specs: list[WorkerSpec], engine: Engine) -> None:
        where = [(spec.stage, spec.probes) for spec in specs if spec.probes is not None]
        breakers = Breakers(lambda stage: reason(stage, where), self.presenter.notice)
        with httpx.Client(timeout=1.0) as client:
            sampler = Sampler(lambda: read_workers(client, where), engine, self.weighted)
            sampler.start()
            try:
                shown = 0.0
                while not self.stopping.asked():
                    self.servers.tend()
                    before = supervisor.pids()
                    supervisor.tend()
                    if supervisor.pids() != before:
                        self._note_pids(supervisor)
                    if time.monotonic() - shown >= _SHOWN_EVERY:
                        shown = time.monotonic()
                        breakers.look(sampler.latest)
                        self._show(_with_restarts(sampler.latest, supervisor), _address_of(specs, "collector"))
                    time.sleep(_TICK)
            finally:
                sampler.stop()

    def _show(self, snapshot: Snapshot, collector: str) -> None:
        new = [lead for lead in reversed(snapshot.routed) if lead.assignment_id not in self.seen]
        self.seen |= {lead.assignment_id for lead in new}
        self.presenter.show(snapshot, new)
        if new and not self.told:
            self.told = True
            baton = typed(sys.argv[0], sys.executable, Path.cwd(), os.environ.get("PATH", ""))
            self.presenter.tips(tips(new[0], collector, baton))

    def _note_pids(self, supervisor: Supervisor) -> None:
        running = state.find(self.settings.data_dir)
        if running is not None:
            state.write(self.settings.data_dir, replace(running, pids=supervisor.pids()))

    def _address(self, specs: list[WorkerSpec], stage: str) -> str:
        return _address_of(specs, stage)


def _address_of(specs: list[WorkerSpec], stage: str) -> str:
    return next(spec.probes for spec in specs if spec.stage == stage and spec.probes is not None)


def _with_restarts(snapshot: Snapshot, supervisor: Supervisor) -> Snapshot:
    restarts: dict[str, int] = {}
    for worker in supervisor.workers:
        restarts[worker.spec.stage] = restarts.get(worker.spec.stage, 0) + worker.restarts
    return replace(
        snapshot,
        stages=tuple(replace(stage, restarts=restarts.get(stage.name, 0)) for stage in snapshot.stages),
    )


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    from services.routing.ledger import connect

    engine = connect(url, pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()
