"""Ends sessions whose client has fallen silent in the middle of a transaction, and holds rows that others wait for.

PostgreSQL ends one that is idle in a transaction, and statements that take too long, but neither where it is in the
middle of an answer that nobody reads: a worker that is frozen there would hold up its successors for as long as it is.
"""

from __future__ import annotations

import logging

from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.routing.ledger import connection

log = logging.getLogger(__name__)

_END = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
      AND application_name = current_setting('application_name')
      AND xact_start IS NOT NULL AND wait_event_type = 'Client'
      AND state_change < clock_timestamp() - make_interval(secs => :seconds)
""")


def end_silent(engine: Engine, cause: BaseException | None) -> None:
    """Where `cause` is that a row was locked for too long: end those of our sessions that may be why.

    One that only seems to be silent loses its transaction by that, and does it again.
    """
    if not (isinstance(cause, DBAPIError) and isinstance(cause.orig, LockNotAvailable)):
        return
    try:
        with engine.begin() as own:
            ended = own.execute(_END, {"seconds": connection.IDLE_TIMEOUT_MS / 1000}).rowcount
    except SQLAlchemyError as exc:
        log.warning("sessions that hold rows cannot be looked at: %s", type(exc).__name__)
        return
    if ended:
        log.warning("sessions that held rows while their clients stood still were ended: %d", ended)
