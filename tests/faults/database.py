"""A PostgreSQL of the run's own, that may be harmed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg

from baton.embedded.database import EmbeddedDatabase
from tests.waiting import until

SUMS = "CREATE TABLE sums (key bytea PRIMARY KEY, count bigint NOT NULL, checksum bigint NOT NULL)"
LOCKED = {
    "sums": ("sums", "positions", "outbox_lanes", "outbox"),
    "path": ("assignments", "positions", "queues", "reps", "outbox_lanes", "leads", "outbox"),
}
"""Tables that a lock may be held on, by database: those whose rows two workers contend for are among them."""
READ_BY_THE_DRIVER = "positions"


class Database:
    """A server with the databases `sums` and `path`, both with the ledger's tables."""

    def __init__(self, home: Path) -> None:
        from services.routing.ledger import upgrade

        self._home = home / "postgres"
        self._server = EmbeddedDatabase(self._home, home / "postgres.log")
        self._server.start()
        with self._connection("baton") as connection:
            # What a run wrote need not outlive the machine; a crash of the server alone loses nothing by it.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET max_connections = 200")
            connection.execute("CREATE DATABASE sums")
            connection.execute("CREATE DATABASE path")
        self._server.stop()
        self._server.start()
        for name in ("sums", "path"):
            upgrade(self.url(name))
        with self._connection("sums") as connection:
            connection.execute(SUMS)

    def url(self, name: str) -> str:
        return self._server.url.replace("/baton?", f"/{name}?")

    def bare_url(self, name: str) -> str:
        """The same for psycopg alone."""
        return self.url(name).replace("postgresql+psycopg://", "postgresql://")

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def crash(self) -> None:
        """Every process of the server ends at once; the next start recovers."""
        postmaster = int((self._home / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        until(lambda: not self._server.alive(), 30, "PostgreSQL to end", every=0.02)
        self._server.stop()

    def cut(self) -> int:
        """End every connection of the two databases; how many there were."""
        with self._connection("baton") as connection:
            [[number]] = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN ('sums', 'path')"
            ).fetchall()
        return int(number)

    def hold(self, name: str, table: str, seconds: float) -> None:
        """Hold a lock on a table that lets nobody write it, nor read it, unless the driver has to see how far it is."""
        mode = "EXCLUSIVE" if table == READ_BY_THE_DRIVER else "ACCESS EXCLUSIVE"
        with psycopg.connect(self.bare_url(name)) as connection:
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
            time.sleep(seconds)
            connection.rollback()

    def _connection(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self.bare_url(name), autocommit=True)
