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


class Part(NamedTuple):
    """The first records of the outbox; `cut`: others wait behind them that were left for the next part."""

    records: list[Waiting]
    cut: bool


class Backlog(NamedTuple):
    """How much waits in the outbox, since when the first of it, and that one's id: 0 where nothing does."""

    records: int
    oldest_seconds: float
    first: int = 0


# Ids rise within a lane, since a lane's row is locked when they are drawn; between lanes they need not. So the first
# by id are the first of each lane, wherever they are cut. PostgreSQL keeps a large value beside its row: its length is
# known without it, and what is left out is not read.
_READ = text("""
    SELECT id, lane, sequence, topic, key, value, headers, partition, upto FROM (
        SELECT *, sum(bytes) OVER (ORDER BY id) AS upto FROM (
            SELECT *, coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + octet_length(headers) AS bytes
            FROM outbox ORDER BY id LIMIT :limit
        ) AS first
    ) AS summed WHERE upto - bytes < :most_bytes ORDER BY id
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
           first.id, extract(epoch FROM clock_timestamp() - first.written_at) AS oldest
    FROM (SELECT id, written_at FROM outbox ORDER BY id LIMIT 1) AS first
""")
_IDENTITY = text("SELECT id FROM ledger_identity")
_POSITIONS = text("SELECT lane, next FROM relay_positions")


def waiting(connection: Connection, limit: int, most_bytes: int) -> Part:
    """Up to `limit` records, of each lane in the order of their numbers, no more once there are `most_bytes`.

    Keys, values and headers count. The last record may go beyond, so that one of any size is read at last.
    """
    records, upto = [], 0
    for row in connection.execute(_READ, {"limit": limit, "most_bytes": most_bytes}):
        output = Output(row.topic, row.key, row.value, read_headers(row.headers), row.partition)
        records.append(Waiting(row.id, row.lane, row.sequence, output))
        upto = row.upto
    return Part(records, len(records) == limit or upto >= most_bytes)


def drop(connection: Connection, published: Sequence[Waiting], nexts: Mapping[int, int]) -> None:
    """Forget records that were published, and note how far each lane is."""
    connection.execute(_DROP, {"ids": [one.id for one in published]})
    connection.execute(_NOTE, {"lanes": list(nexts), "nexts": list(nexts.values())})


def backlog(connection: Connection) -> Backlog:
    """What waits now."""
    found = connection.execute(_BACKLOG).one_or_none()
    if found is None:
        return Backlog(0, 0.0)
    return Backlog(int(found.records), max(0.0, float(found.oldest)), found.id)


def noted_positions(connection: Connection) -> dict[int, int]:
    """How far each lane is, as it was last noted here."""
    return {row.lane: row.next for row in connection.execute(_POSITIONS)}


def identity(connection: Connection) -> str:
    """Which ledger this is."""
    return str(connection.execute(_IDENTITY).scalar_one())
