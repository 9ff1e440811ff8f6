"""The composition root: makes each process of its parts, runs it, gives its exit code."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from baton import configuration, listening, provisioning
from baton.logs import set_up
from baton.refusal import Refusal
from baton.settings import Settings
from streaming import hosts

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from streaming.breaker_door import Close
    from streaming.faust.settings import EngineSettings
    from streaming.probes import Probes, Readiness
    from streaming.stage import Stage

_GRACE = 3  # seconds that a door's open requests have to end


ROUND = 1_000
"""Records of a round of routing, at most: were each at fault, twice as many tries in one transaction would find that
out. For so many that took a third of the transaction's time limit; for 4,000 it would have been more than all of it."""


def engine_settings(settings: Settings, stage: str) -> EngineSettings:
    """The settings of a stage's engine."""
    from streaming.faust.settings import EngineSettings

    address = provisioning.demand_entry(settings)
    data_dir = settings.data_dir / "engine" / stage
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(
            f"the data folder {data_dir} cannot be used: {error.strerror}",
            "Set BATON_DATA_DIR to a folder that you may write to",
        ) from error
    made = EngineSettings(
        bootstrap=address.bootstrap,
        group=f"{settings.topic_prefix}baton-{stage}",
        static_instance=settings.static_instance and settings.instance is not None,
        librdkafka=address.options,
        data_dir=data_dir,
        rest_seconds=settings.fetch_rest,
        breaker_consecutive=settings.breaker_consecutive,
        breaker_share=settings.breaker_share,
        breaker_resume_seconds=settings.breaker_resume,
        local_state_seconds=settings.local_state,
    )
    return replace(made, instance=settings.instance) if settings.instance else made


def run_ingest(settings: Settings) -> int:
    """The ingest worker, until it is told to stop."""
    from services.ingest.stage import NAME, make_stage

    set_up(NAME, settings)
    return _run_stage(make_stage(configuration.sources(settings.config_dir), settings.topic_prefix), settings)


def run_scoring(settings: Settings) -> int:
    """The scoring worker, until it is told to stop."""
    from services.scoring.stage import NAME, make_stage

    set_up(NAME, settings)
    return _run_stage(make_stage(configuration.ruleset(settings.config_dir), settings.topic_prefix), settings)


def _run_stage(stage: Stage, settings: Settings) -> int:
    from streaming.faust.app import make_app
    from streaming.faust.worker import run
    from streaming.probes import Readiness

    readiness = Readiness()
    app = make_app(stage, engine_settings(settings, stage.name), readiness=readiness)
    return run(app, _probes(readiness, settings, app.close_breakers))


def _probes(
    readiness: Readiness, settings: Settings, close_breakers: Close, unwell: Callable[[], str] = lambda: ""
) -> Probes:
    from streaming.probes import Probes

    listening.demand_host(settings.host)
    try:
        return Probes(readiness, settings.host, settings.metrics_port, unwell=unwell, close_breakers=close_breakers)
    except OSError as error:
        raise listening.refused(error, settings.host, settings.metrics_port, "metrics_port") from error


def run_collector(settings: Settings) -> int:
    """The collector, until it is told to stop."""
    from services.ingest.collector.app import make_collector
    from services.ingest.platforms.fetchers import FETCHERS
    from services.ingest.publisher import KafkaPublisher

    log = set_up("collector", settings)
    sources = configuration.sources(settings.config_dir)
    for notice in sources.notices:
        log.warning("source", file=notice.file, line=notice.line, message=notice.message, mend=notice.mend)
    address = provisioning.demand_entry(settings)
    door = _listening(settings.host, settings.collector_port, "collector_port")
    log.info("listening", port=door.getsockname()[1])

    async def serve() -> None:
        publisher = KafkaPublisher(address.librdkafka_config())
        fetchers = {kind: make() for kind, make in FETCHERS.items()}
        try:
            await _serve(make_collector(sources, publisher, prefix=settings.topic_prefix, fetchers=fetchers), door)
        finally:
            await publisher.close()
            for fetcher in fetchers.values():
                await fetcher.close()

    with _runner() as runner:
        runner.run(serve())
    return 0


async def _serve(app: Starlette, door: socket.socket) -> None:
    """Serve `app` on a listening socket until SIGTERM or SIGINT."""
    import uvicorn

    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again once it has stopped
    gc.collect()
    gc.freeze()  # a look at all that was loaded takes a tenth of a second, and nobody is answered meanwhile
    await uvicorn.Server(config).serve(sockets=[door])


def _listening(host: str, port: int, field: str) -> socket.socket:
    """A socket that listens there. Raises `Refusal` where none can."""
    listening.demand_host(host)  # of a name that is none `create_server` says what it says of a port
    try:
        return socket.create_server((host, port), family=hosts.family(host), backlog=1024)
    except OSError as error:
        raise listening.refused(error, host, port, field) from error


def run_routing(settings: Settings) -> int:
    """The routing worker with its relay, its timers and the reader of outcomes, until it is told to stop."""
    from services.routing.ledger import BoundedOutbox, Ledger
    from services.routing.outcomes import Outcomes
    from services.routing.relay import kafka_relay
    from services.routing.stage import NAME, make_stage
    from services.routing.timers import Timers
    from services.routing.watch import CONDITION, RelayWatch
    from streaming import metrics
    from streaming.faust import quiet
    from streaming.faust.app import make_app
    from streaming.faust.worker import run
    from streaming.probes import Readiness
    from streaming.stage import Failure, Message, TransientError

    set_up(NAME, settings)
    prefix, plan = settings.topic_prefix, configuration.plan(settings.config_dir)
    ledger = Ledger.at(provisioning.demand_tables(settings))
    readiness = Readiness()
    engine = replace(engine_settings(settings, NAME), max_records=ROUND)
    stage = make_stage(plan, BoundedOutbox(ledger, settings.outbox_most), prefix)
    app = make_app(stage, engine, readiness=readiness)
    if engine.static_instance:
        app.conf.consumer_group_instance_id = engine.instance
    outcomes = Outcomes(ledger, plan, prefix)

    def take(message: Message) -> None:
        try:
            came = outcomes.take(message)
        except Exception as error:  # what fails it puts into the outbox itself; whatever else is wrong is the ledger's
            raise TransientError(f"an outcome cannot be taken: {type(error).__name__}: {error}") from error
        metrics.RECORDS.labels("outcomes", came).inc()

    def keep(failure: Failure) -> None:
        raise AssertionError(failure.detail)

    quiet.take(app, outcomes.source, take, keep)
    relay = kafka_relay(ledger, provisioning.kafka_address(settings), prefix)
    watch, timers = RelayWatch(ledger, relay), Timers(ledger, plan, prefix)
    readiness.watch(CONDITION, watch.why)
    try:
        probes = _probes(
            readiness, settings, app.close_breakers, lambda: relay.unwell() or timers.unwell() or watch.unwell()
        )
        relay.start()
        watch.start()
        timers.start()
        return run(app, probes)
    finally:
        timers.stop()
        relay.stop()
        watch.stop()
        ledger.close()


def run_sales(settings: Settings) -> int:
    """The sales API, until it is told to stop."""
    from services.routing.api import KafkaPublisher, make_sales_api
    from services.routing.ledger import Ledger

    log = set_up("sales", settings)
    plan = configuration.plan(settings.config_dir)
    ledger = Ledger.at(provisioning.demand_tables(settings))
    publisher = KafkaPublisher(provisioning.demand_entry(settings))
    door = _listening(settings.host, settings.sales_port, "sales_port")
    log.info("listening", port=door.getsockname()[1])
    try:
        with _runner() as runner:
            runner.run(_serve(make_sales_api(ledger, plan, publisher, settings.topic_prefix), door))
    finally:
        publisher.close()
        ledger.close()
    return 0


def _runner() -> asyncio.Runner:
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


WORKERS: dict[str, Callable[[Settings], int]] = {
    "collector": run_collector,
    "ingest": run_ingest,
    "scoring": run_scoring,
    "routing": run_routing,
    "sales": run_sales,
}
"""Every kind of worker, by the name of its command."""
