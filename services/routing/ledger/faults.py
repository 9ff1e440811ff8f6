"""Which faults of the database pass by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from streaming.stage import TransientError

PASSING = ("08", "25P03", "25006", "40", "53", "55006", "55P03", "57014", "57P", "58")
"""SQLSTATE classes and codes: connection, idle transaction ended, read only (a standby), rollback (serialization,
deadlock), resources, object in use, lock not available, cancelled, operator intervention, system error.

Source: PostgreSQL, Appendix A, error codes."""


def passes(error: DBAPIError) -> bool:
    """Whether what raised `error` may succeed when it is tried again."""
    if error.connection_invalidated:
        return True
    state = error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
    if state is None:  # never reached the server, or lost it on the way
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(PASSING)


@contextmanager
def told_apart() -> Iterator[None]:
    """Raise `TransientError` in place of the database errors that pass; let the others through."""
    try:
        yield
    except PoolTimeout as exc:
        raise TransientError(f"no connection was free: {exc}") from exc
    except DBAPIError as exc:
        if not passes(exc):
            raise
        raise TransientError(str(exc.orig)) from exc
