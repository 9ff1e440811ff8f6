"""The outbox from the relay's side: read in order, drop what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.routing.ledger.store import read_headers
from streaming.stage import Output


class Waiting(NamedTuple):
    """A record that waits in the outbox."""

    id: int
    lane: int
    sequence: int
    output: Output


class Backlog(NamedTuple):
    """How much waits in the outbox, and since when the first of it: 0 where nothing does."""

    records: int
    oldest_seconds: float


# Ids rise within a lane, since a lane's row is locked when they are drawn; between lanes they need not.
_READ = text("""
    SELECT id, lane, sequence, topic, key, value, headers, partition FROM outbox ORDER BY id LIMIT :limit
""")
_DROP = text("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")
_NOTE = text("""
    INSERT INTO relay_positions AS at (lane, next)
    SELECT * FROM unnest(CAST(:lanes AS bigint[]), CAST(:nexts AS bigint[]))
    ON CONFLICT (lane) DO UPDATE SET next = greatest(at.next, excluded.next)
""")
# By the numbers of the lanes: to count rows would take the longer, the more of them wait.
_BACKLOG = text("""
    SELECT (SELECT coalesce(sum(lanes.next - coalesce(relayed.next, 0)), 0)
            FROM outbox_lanes AS lanes LEFT JOIN relay_positions AS relayed USING (lane)) AS records,
           (SELECT extract(epoch FROM clock_timestamp() - written_at) FROM outbox ORDER BY id LIMIT 1) AS oldest
""")
_IDENTITY = text("SELECT id FROM ledger_identity")
_POSITIONS = text("SELECT lane, next FROM relay_positions")


def waiting(connection: Connection, limit: int) -> list[Waiting]:
    """Up to `limit` records, of each lane in the order of their numbers."""
    return [
        Waiting(
            row.id,
            row.lane,
            row.sequence,
            Output(row.topic, row.key, row.value, read_headers(row.headers), row.partition),
        )
        for row in connection.execute(_READ, {"limit": limit})
    ]


def drop(connection: Connection, published: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
    """Forget records that were published, and note how far each lane is."""
    connection.execute(_DROP, {"ids": [one.id for one in published]})
    connection.execute(_NOTE, {"lanes": list(nexts), "nexts": list(nexts.values())})


def backlog(connection: Connection) -> Backlog:
    """What waits now."""
    found = connection.execute(_BACKLOG).one()
    if found.oldest is None:
        return Backlog(0, 0.0)
    return Backlog(int(found.records), max(0.0, float(found.oldest)))


def noted_positions(connection: Connection) -> dict[int, int]:
    """How far each lane is, as it was last noted here."""
    return {row.lane: row.next for row in connection.execute(_POSITIONS)}


def identity(connection: Connection) -> str:
    """Which ledger this is."""
    return str(connection.execute(_IDENTITY).scalar_one())
