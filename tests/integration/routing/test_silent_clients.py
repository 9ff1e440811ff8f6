"""A worker that is frozen in the middle of a message to the ledger: no limit of PostgreSQL's ends what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from services.routing.ledger import Ledger, connection
from services.routing.ledger.connection import APPLICATION
from streaming.stage import TransientError
from tests.integration.routing.desk import rows
from tests.integration.routing.test_ledger_under_concurrency import TOPIC, work
from tests.waiting import until

pytestmark = pytest.mark.postgres

WAIT = 20.0
FULL = 64 << 20
"""More bytes than a socket takes while nobody reads."""
ANSWER = b"SELECT repeat('x', 1024) FROM generate_series(1, %d)" % (FULL >> 10)


@pytest.fixture
def impatient(ledger: Ledger, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger whose limits are short; of partition 0 one record is done."""
    work(ledger, 0, ["mia"])
    monkeypatch.setattr(connection, "LOCK_TIMEOUT_MS", 200)
    monkeypatch.setattr(connection, "IDLE_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(connection, "STATEMENT_TIMEOUT_MS", 1_000)
    soon = Ledger.at(database_url)
    yield soon
    soon.close()


@pytest.fixture
def silent(ledger: Ledger, impatient: Ledger, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection with the limits of `impatient`'s, in a transaction that has the rows that the next round needs."""
    args, parts = impatient.engine.dialect.create_connect_args(impatient.engine.url)
    with impatient.engine.connect() as known:
        limits = known.connection.driver_connection.info.options  # type: ignore[union-attr]
    held = psycopg.connect(*args, **{**parts, "application_name": APPLICATION, "options": limits})
    held.execute("SELECT next FROM positions FOR UPDATE")
    held.pgconn.nonblocking = 1
    yield held
    held.close()


def done(ledger: Ledger) -> bool:
    """Whether the next round was done; it is tried once more."""
    try:
        work(ledger, 0, ["lena"], 1)
    except TransientError:
        return False
    return True


@pytest.mark.parametrize(
    ("query", "values"), [(b"SELECT $1", [bytes(FULL)]), (ANSWER, [])], ids=["a statement", "an answer"]
)
def test_who_falls_silent_in_the_middle_of_it_holds_up_others_for_a_while_only(
    query: bytes, values: list[bytes], ledger: Ledger, impatient: Ledger, silent: psycopg.Connection
) -> None:
    silent.pgconn.send_query_params(query, values)
    silent.pgconn.flush()

    assert not done(impatient)
    until(lambda: done(impatient), WAIT, "the rows to be free")
    assert ledger.position(TOPIC, 0) == 2


def test_who_is_of_another_application_or_works_on_is_left_alone(
    ledger: Ledger, impatient: Ledger, silent: psycopg.Connection
) -> None:
    args, parts = impatient.engine.dialect.create_connect_args(impatient.engine.url)
    with (
        closing(psycopg.connect(*args, **{**parts, "application_name": "psql"})) as other,
        closing(psycopg.connect(*args, **{**parts, "application_name": APPLICATION})) as busy,
    ):
        other.execute("SELECT 1")
        busy.pgconn.send_query(b"BEGIN; SELECT pg_sleep(60)")
        silent.pgconn.send_query(ANSWER)
        silent.pgconn.flush()
        until(lambda: done(impatient), WAIT, "the rows to be free")
        pids = [one.info.backend_pid for one in (other, busy, silent)]
        left = rows(ledger, "SELECT pid FROM pg_stat_activity WHERE pid = ANY(:pids)", pids=pids)

    assert sorted(row["pid"] for row in left) == sorted(pids[:2])
