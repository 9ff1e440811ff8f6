"""Run by Alembic: migrates in one transaction, under a lock, so that workers that start together do not collide."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from services.routing.ledger.models import Table

LOCK = 0x6261746F6E  # "baton"


def migrate() -> None:
    """Upgrade the database that the configuration names."""
    engine = create_engine(context.config.attributes["url"])
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.configure(connection=connection, target_metadata=Table.metadata, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


migrate()
