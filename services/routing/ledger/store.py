"""The ledger as the store of a stage: rounds, the outbox and the source positions in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson
from sqlalchemy import Connection, Engine, text

from services.routing.ledger.connection import connect
from services.routing.ledger.faults import told_apart
from streaming.stage import Fenced, Output

CHANNEL = "baton_outbox"
"""PostgreSQL's channel on which a commit with records in the outbox is told."""

_POSITION = text("SELECT next FROM positions WHERE topic = :topic AND partition = :partition")
_MOVE = text(
    "UPDATE positions SET next = :end WHERE topic = :topic AND partition = :partition AND next = :start RETURNING 1"
)
_BEGIN = text(
    "INSERT INTO positions (topic, partition, next) VALUES (:topic, :partition, :end)"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
_TAKE = text(f"""
    INSERT INTO outbox_lanes AS at (lane, next) VALUES (:lane, :count)
    ON CONFLICT (lane) DO UPDATE SET next = at.next + :count
    RETURNING next - :count, pg_notify('{CHANNEL}', '')
""")  # noqa: S608 the channel is a constant
_PUBLISH = text("""
    INSERT INTO outbox (lane, sequence, topic, key, value, headers, partition)
    SELECT :lane, :first + at - 1, topic, key, value, headers, partition
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS bytea[]), CAST(:values AS bytea[]), CAST(:headers AS bytea[]),
                CAST(:partitions AS bigint[]))
         WITH ORDINALITY AS record (topic, key, value, headers, partition, at)
    ORDER BY at
""")


class Unit:
    """One open transaction. `lane`: of what `publish` writes where none is said."""

    __slots__ = ("connection", "lane")

    def __init__(self, connection: Connection, lane: int) -> None:
        self.connection, self.lane = connection, lane

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is rolled back alone where the block raises."""
        with told_apart(), self.connection.begin_nested():
            yield

    def publish(self, outputs: Sequence[Output], lane: int | None = None) -> None:
        """Write `outputs` to the outbox, in order.

        The lane's row stays locked until the commit; who writes to several lanes takes them in rising order.
        """
        if not outputs:
            return
        at = self.lane if lane is None else lane
        first = self.connection.execute(_TAKE, {"lane": at, "count": len(outputs)}).scalar_one()
        self.connection.execute(
            _PUBLISH,
            {
                "lane": at,
                "first": first,
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

    def position(self, topic: str, partition: int) -> int | None:
        """Source offset at which `partition` goes on. Raises `TransientError`."""
        with told_apart(), self.engine.begin() as connection:
            at = connection.execute(_POSITION, {"topic": topic, "partition": partition}).scalar_one_or_none()
            return None if at is None else int(at)

    @contextmanager
    def round(self, topic: str, partition: int, start: int, end: int) -> Iterator[Unit]:
        """One transaction that moves the position from `start` to `end`. Raises `Fenced`, `TransientError`."""
        at = {"topic": topic, "partition": partition, "start": start, "end": end}
        with told_apart(), self.engine.begin() as connection:
            moved = connection.execute(_MOVE, at).first() or connection.execute(_BEGIN, at).first()
            if moved is None:
                raise Fenced(f"{topic}-{partition} is no longer at {start}")
            yield Unit(connection, partition)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """A transaction that follows from no record: of a timer, or of a person's answer. Raises `TransientError`."""
        with told_apart(), self.engine.begin() as connection:
            yield Unit(connection, 0)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def written(output: Output) -> bytes:
    """Headers of `output` as the outbox keeps them; bytes that are not UTF-8 survive as Latin-1 does."""
    pairs = [(name, None if value is None else value.decode("latin-1")) for name, value in output.headers]
    return orjson.dumps(pairs)


def read_headers(data: bytes) -> list[tuple[str, bytes | None]]:
    """The inverse of `written`."""
    return [(name, None if value is None else value.encode("latin-1")) for name, value in orjson.loads(data)]
