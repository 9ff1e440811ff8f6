"""`baton doctor`: looks at what Baton needs of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from baton import check, provisioning
from baton.embedded import broker, database
from baton.embedded.ports import is_free
from baton.listening import demand_host
from baton.refusal import Refusal
from baton.settings import Settings, masked
from baton.up import state
from baton.up.ports import shared


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which things are needed."""
    return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), f"{version} at {sys.executable}")
    yield _tried("broker", lambda: _broker(settings))
    yield _tried("database", lambda: _database(settings))
    yield _tried("configuration", lambda: _configuration(settings))
    running = state.find(settings.data_dir)
    if running is not None:
        yield Finding("up", ok=True, detail=f"process {running.pid}, collector {running.collector}")
        return
    host = _tried("host", lambda: _host(settings))
    yield host
    if not host.ok:
        return
    for one in shared(settings):
        if one.refused:
            yield Finding("ports", ok=False, detail=f"{one.message}. {one.mend}")
    for name, port in (("collector", settings.collector_port), ("sales", settings.sales_port)):
        free = port == 0 or is_free(port, settings.host)
        yield Finding(f"{name} port", free, f"{port} is free" if free else f"{port} is taken: set another one")


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, detail=look())
    except Refusal as refusal:
        return Finding(what, ok=False, detail=str(refusal))


def _broker(settings: Settings) -> str:
    if settings.kafka is None:
        return f"embedded, {broker.binary()}"
    from streaming.admin import KafkaUnreachable, connection

    try:
        with connection(provisioning.kafka_address(settings), patience=5.0):
            return f"{settings.kafka} answers"
    except KafkaUnreachable as error:
        raise provisioning.unreachable(error) from error


def _database(settings: Settings) -> str:
    if settings.database_url is None:
        return f"embedded, {database.programs()}"
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from services.routing.ledger import connect

    engine = connect(provisioning.database_url(settings), pool_size=1)
    try:
        with engine.connect() as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
    except SQLAlchemyError as error:
        raise Refusal(f"{masked(settings.database_url)} does not answer", "See BATON_DATABASE_URL") from error
    finally:
        engine.dispose()
    return f"{masked(settings.database_url)}, PostgreSQL {version}"


def _host(settings: Settings) -> str:
    demand_host(settings.host)
    return f"{settings.host or 'every address'} is of this machine"


def _configuration(settings: Settings) -> str:
    found = check.check_files(settings.config_dir)
    if found.faults:
        raise Refusal(f"{check.counted(len(found.faults))} in {settings.config_dir}", "See `baton check`")
    return f"{settings.config_dir}, no faults"
