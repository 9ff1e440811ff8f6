"""Records that no topic takes: kept whole for as long as the ledger is, since the note of them is kept for ever."""

from __future__ import annotations

from sqlalchemy import Connection, text

from services.routing.ledger.store import read_headers
from streaming.stage import Output

# A round that was cut off after it is done again, and finds the same name.
_KEEP = text("""
    INSERT INTO set_aside (lane, sequence, topic, key, value, headers, partition)
    SELECT lane, sequence, topic, key, value, headers, partition FROM outbox WHERE id = :id
    ON CONFLICT (lane, sequence) DO UPDATE SET lane = excluded.lane
    RETURNING id
""")
_READ = text("SELECT topic, key, value, headers, partition, lane FROM set_aside WHERE id = :id")


def keep(connection: Connection, row: int) -> str:
    """Keep the record of the outbox's row of that id beyond its time there; gives the name by which `read` finds it."""
    return str(connection.execute(_KEEP, {"id": row}).scalar_one())


def read(connection: Connection, name: str) -> Output | None:
    """The record of that name, as it stood in the outbox; None where there is none."""
    row = connection.execute(_READ, {"id": name}).one_or_none()
    if row is None:
        return None
    return Output(row.topic, row.key, row.value, read_headers(row.headers), row.partition, row.lane)
