"""Connecting to PostgreSQL, and bringing its tables up to date."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

LOCK_TIMEOUT_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000
IDLE_TIMEOUT_MS = 30_000
"""A worker that is frozen in a round holds the rows that its successors need; so long it may do nothing there."""
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""For client and server alike, in seconds, and for the last in ms: a side that has gone without a word is found out
within half a minute, and its locks are free, instead of after two hours."""
APPLICATION = "baton"
"""The name by which sessions know each other in PostgreSQL, where the URL gives them no other."""
MIGRATIONS = Path(__file__).parent / "migrations"


def psycopg_url(url: str) -> URL:
    """`url` for psycopg 3: `postgres://` and `postgresql://` without a driver are taken too."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def connect(url: str, *, pool_size: int = 10) -> Engine:
    """An engine that gives up on locks and statements after a while, so that no worker hangs on a dead one's."""
    limits = {
        "lock_timeout": LOCK_TIMEOUT_MS,
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
    }
    limits |= {name if name.startswith("tcp_") else f"tcp_{name}": value for name, value in KEEPALIVE.items()}
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    engine = create_engine(
        psycopg_url(url),
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        hide_parameters=True,  # they hold people's data, and errors go to the log
        connect_args={
            "options": options,
            "connect_timeout": 10,
            "fallback_application_name": APPLICATION,
            **KEEPALIVE,
        },
    )
    event.listen(engine, "connect", _send_arrays_in_binary)
    return engine


def _send_arrays_in_binary(connection: psycopg.Connection, _: object) -> None:
    """Psycopg writes lists as text by default: a round's records in hexadecimal, each byte looked at in Python."""
    connection.adapters.register_dumper(list, ListBinaryDumper)


def upgrade(url: str) -> None:
    """Bring the tables at `url` to this version; several may call it at once."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = psycopg_url(url)
    command.upgrade(config, "head")


def behind(url: str) -> str | None:
    """The revision of the tables at `url`, empty for no tables, where it is older than this version's; else None.

    None where nobody answers, too: that passes.
    """
    engine = connect(url, pool_size=1)
    try:
        with engine.connect() as connection:
            found = "".join(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
    _, *older = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    return found if found in ("", *older) else None
