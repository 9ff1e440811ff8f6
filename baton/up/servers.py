"""Broker and database of `baton up`: those that are given, or embedded ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from baton.embedded.broker import EmbeddedBroker
from baton.embedded.database import EmbeddedDatabase
from baton.refusal import Refusal
from baton.settings import Settings

_AGAIN = 5.0  # seconds between two tries to bring a server back


class _Server(Protocol):
    @property
    def pid(self) -> int | None: ...

    def alive(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Servers:
    """Starts what is not given; brings back what dies."""

    def __init__(self, settings: Settings, data_dir: Path, notify: Callable[[str], None]) -> None:
        self._settings, self._notify = settings, notify
        logs = data_dir / "logs"
        self._broker = EmbeddedBroker(data_dir / "kafka", logs / "kafka.log") if settings.kafka is None else None
        self._database = (
            EmbeddedDatabase(data_dir / "postgres", logs / "postgres.log") if settings.database_url is None else None
        )
        self._tried: dict[str, float] = {}

    @property
    def embedded_broker(self) -> bool:
        """Whether the broker is the embedded one."""
        return self._broker is not None

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self._broker.bootstrap if self._broker else self._settings.kafka or ""

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL of the database."""
        return self._database.url if self._database else self._settings.sqlalchemy_url or ""

    @property
    def embedded(self) -> list[str]:
        """Names of the embedded ones."""
        return [name for name, _ in self._embedded()]

    def start(self) -> None:
        """Start the embedded ones. Raises `Refusal`."""
        for _, server in self._embedded():
            server.start()

    def tend(self) -> None:
        """Bring back an embedded server that died, and say so."""
        for name, server in self._embedded():
            if server.alive() or time.monotonic() - self._tried.get(name, -_AGAIN) < _AGAIN:
                continue
            self._tried[name] = time.monotonic()
            self._notify(f"the embedded {name} died; it is started again")
            try:
                server.start()
            except Refusal as refusal:
                self._notify(str(refusal))

    def stop(self) -> None:
        """Stop the embedded ones, the database last; each writes what it has."""
        for _, server in self._embedded():
            server.stop()

    def _embedded(self) -> list[tuple[str, _Server]]:
        servers: tuple[tuple[str, _Server | None], ...] = (("broker", self._broker), ("database", self._database))
        return [(name, server) for name, server in servers if server is not None]
