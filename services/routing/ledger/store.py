"""The ledger as the store of a stage: rounds, the outbox and the source positions in one transaction."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from psycopg.errors import UndefinedTable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from services.routing.ledger.connection import connect
from services.routing.ledger.faults import told_apart
from services.routing.ledger.silent import end_silent
from streaming.stage import Fenced, Move, Output, TransientError

CHANNEL = "baton_outbox"
"""PostgreSQL's channel on which a commit with records in the outbox is told."""

_POSITION = text("SELECT next FROM positions WHERE topic = :topic AND partition = :partition")
_ORIGIN = text("""
    INSERT INTO sources AS known (topic, origin) VALUES (:topic, :origin)
    ON CONFLICT (topic) DO UPDATE SET origin = CASE
        WHEN EXISTS (SELECT FROM positions AS at WHERE at.topic = known.topic) THEN known.origin
        ELSE excluded.origin END
    RETURNING origin
""")
_MOVE = text("""
    UPDATE positions AS at SET next = move.next
    FROM unnest(CAST(:partitions AS bigint[]), CAST(:starts AS bigint[]), CAST(:ends AS bigint[]))
         AS move (partition, start, next)
    WHERE at.topic = :topic AND at.partition = move.partition AND at.next = move.start
    RETURNING at.partition
""")
_BEGIN = text("""
    INSERT INTO positions (topic, partition, next)
    SELECT :topic, * FROM unnest(CAST(:partitions AS bigint[]), CAST(:ends AS bigint[]))
    ON CONFLICT DO NOTHING RETURNING partition
""")
# Lanes are locked in the order of the list.
_TAKE = text(f"""
    INSERT INTO outbox_lanes AS at (lane, next)
    SELECT * FROM unnest(CAST(:lanes AS bigint[]), CAST(:counts AS bigint[]))
    ON CONFLICT (lane) DO UPDATE SET next = at.next + excluded.next
    RETURNING lane, next, pg_notify('{CHANNEL}', '')
""")  # noqa: S608 the channel is a constant
_PUBLISH = text("""
    INSERT INTO outbox (lane, sequence, topic, key, value, headers, partition)
    SELECT lane, sequence, topic, key, value, headers, partition
    FROM unnest(CAST(:lanes AS bigint[]), CAST(:sequences AS bigint[]), CAST(:topics AS text[]),
                CAST(:keys AS bytea[]), CAST(:values AS bytea[]), CAST(:headers AS bytea[]),
                CAST(:partitions AS bigint[]))
         WITH ORDINALITY AS record (lane, sequence, topic, key, value, headers, partition, at)
    ORDER BY at
""")


class Unit:
    """One open transaction."""

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is rolled back alone where the block raises."""
        with told_apart(), self.connection.begin_nested():
            yield

    def publish(self, outputs: Sequence[Output]) -> None:
        """Write `outputs` to the outbox, each lane's in order.

        The rows of the lanes stay locked until the commit, taken in rising order: call it once, at the end. Raises
        ValueError for a record without a lane.
        """
        if not outputs:
            return
        lanes = [output.lane for output in outputs if output.lane is not None]
        if len(lanes) < len(outputs):
            raise ValueError("a record without a lane cannot be put into the outbox")
        counts = dict(sorted(Counter(lanes).items()))
        taken = self.connection.execute(_TAKE, {"lanes": list(counts), "counts": list(counts.values())})
        nexts = {row.lane: itertools.count(row.next - counts[row.lane]) for row in taken}
        self.connection.execute(
            _PUBLISH,
            {
                "lanes": lanes,
                "sequences": [next(nexts[lane]) for lane in lanes],
                "topics": [output.topic for output in outputs],
                "keys": [output.key for output in outputs],
                "values": [output.value for output in outputs],
                "headers": [written(output) for output in outputs],
                "partitions": [output.partition for output in outputs],
            },
        )


class Ledger:
    """The ledger. Safe to use from several threads and processes at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def at(cls, url: str, *, pool_size: int = 10) -> Ledger:
        """The ledger at `url`; its tables must be there (`upgrade`)."""
        return cls(connect(url, pool_size=pool_size))

    def origin(self, topic: str, found: str) -> str:
        """Identity of the topic that the positions are of; from now on `found` where there are none.

        Raises `TransientError`, and LookupError where the tables are of an older version.
        """
        try:
            with self._transaction() as connection:
                return str(connection.execute(_ORIGIN, {"topic": topic, "origin": found}).scalar_one())
        except ProgrammingError as exc:
            if not isinstance(exc.orig, UndefinedTable):
                raise
            raise LookupError("the ledger's tables are older than this version: run `baton db upgrade`") from exc

    def position(self, topic: str, partition: int) -> int | None:
        """Source offset at which `partition` goes on. Raises `TransientError`."""
        with self._transaction() as connection:
            at = connection.execute(_POSITION, {"topic": topic, "partition": partition}).scalar_one_or_none()
            return None if at is None else int(at)

    @contextmanager
    def round(self, topic: str, moves: Sequence[Move]) -> Iterator[Unit]:
        """One transaction that moves the positions of `topic`. Raises `Fenced`, `TransientError`."""
        with self._transaction() as connection:
            left = {move.partition: move for move in moves}
            for statement in (_MOVE, _BEGIN):
                if left:
                    for (partition,) in connection.execute(statement, _columns(topic, left.values())):
                        del left[partition]
            if left:
                where = ", ".join(f"{topic}-{move.partition} is no longer at {move.start}" for move in left.values())
                raise Fenced(where)
            yield Unit(connection)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A transaction that follows from no record: of a timer, or of a person's answer. Raises `TransientError`."""
        with self._transaction() as connection:
            yield Unit(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with told_apart(), self.engine.begin() as connection:
                yield connection
        except TransientError as exc:
            end_silent(self.engine, exc.__cause__)
            raise

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _columns(topic: str, moves: Iterable[Move]) -> dict[str, Any]:
    partitions, starts, ends = zip(*moves, strict=True)
    return {"topic": topic, "partitions": list(partitions), "starts": list(starts), "ends": list(ends)}


def written(output: Output) -> bytes:
    """Headers of `output` as the outbox keeps them; bytes that are not UTF-8 survive as Latin-1 does.

    So do those of a name that is none; it comes back as text.
    """
    pairs = [(_text(name), None if value is None else _text(value)) for name, value in output.headers]
    return orjson.dumps(pairs)


def _text(given: str | bytes) -> str:
    return given if isinstance(given, str) else given.decode("latin-1")


def read_headers(data: bytes) -> list[tuple[str, bytes | None]]:
    """The inverse of `written`."""
    return [(name, None if value is None else value.encode("latin-1")) for name, value in orjson.loads(data)]
