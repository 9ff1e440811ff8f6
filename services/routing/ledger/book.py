"""The standings of reps and queues: read under lock, written back by the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text

from services.routing.plan import Plan
from services.routing.standing import Book, QueueStanding, RepStanding

_QUEUES = "SELECT id, turn, given, seats, had, last FROM queues WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id"
_REPS = "SELECT id, open, day, taken, away, away_until FROM reps WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id"
_SEE_QUEUES, _SEE_REPS = text(_QUEUES), text(_REPS)
# Rows are locked in the order of their ids, queues before reps: transactions of different partitions wait for each
# other, and never in a circle.
_LOCK_QUEUES, _LOCK_REPS = text(f"{_QUEUES} FOR NO KEY UPDATE"), text(f"{_REPS} FOR NO KEY UPDATE")
_NEW_QUEUES = text("INSERT INTO queues (id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING")
_NEW_REPS = text("INSERT INTO reps (id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING")
_SAVE_QUEUES = text("""
    UPDATE queues SET turn = new.turn, given = new.given, seats = CAST(new.seats AS jsonb),
                      had = CAST(new.had AS jsonb), last = CAST(new.last AS jsonb)
    FROM unnest(CAST(:ids AS text[]), CAST(:turn AS bigint[]), CAST(:given AS bigint[]), CAST(:seats AS text[]),
                CAST(:had AS text[]), CAST(:last AS text[])) AS new (id, turn, given, seats, had, last)
    WHERE queues.id = new.id
""")
_SAVE_REPS = text("""
    UPDATE reps SET open = new.open, day = new.day, taken = new.taken
    FROM unnest(CAST(:ids AS text[]), CAST(:open AS bigint[]), CAST(:day AS date[]), CAST(:taken AS bigint[]))
         AS new (id, open, day, taken)
    WHERE reps.id = new.id
""")


def lock(connection: Connection, plan: Plan, queues: Iterable[str], now: float, reps: Iterable[str] = ()) -> Book:
    """The standings of `queues`, of everybody in their pools and of `reps`, locked until the transaction ends."""
    names, people = _concerned(plan, queues, reps)
    found_queues = _locked(connection, _LOCK_QUEUES, _NEW_QUEUES, names)
    return _book(now, found_queues, _locked(connection, _LOCK_REPS, _NEW_REPS, people))


def peek(connection: Connection, plan: Plan, queues: Iterable[str], now: float) -> Book:
    """The same, to look at only: nothing is locked, so it may be out of date at once."""
    names, people = _concerned(plan, queues, ())
    found_queues = connection.execute(_SEE_QUEUES, {"ids": names}).all()
    return _book(now, found_queues, connection.execute(_SEE_REPS, {"ids": people}).all())


def _concerned(plan: Plan, queues: Iterable[str], reps: Iterable[str]) -> tuple[list[str], list[str]]:
    names = sorted(set(queues))
    people = set(reps)
    for queue in (plan.queues[name] for name in names if name in plan.queues):
        people |= {rep.id for rep in queue.members} | ({queue.manager} if queue.manager else set())
    return names, sorted(people)


def _book(now: float, queues: Iterable[Row[Any]], reps: Iterable[Row[Any]]) -> Book:
    book = Book(now)
    for row in queues:
        seats = tuple((str(rep), int(weight)) for rep, weight in row.seats)
        book.queues[row.id] = QueueStanding(row.turn, row.given, seats, dict(row.had), dict(row.last))
    for row in reps:
        until = None if row.away_until is None else row.away_until.timestamp()
        book.reps[row.id] = RepStanding(row.open, row.day, row.taken, row.away, until)
    return book


def save(connection: Connection, book: Book) -> None:
    """Write the standings back. `book` must have been locked by the same transaction."""
    if book.queues:
        queues = list(book.queues.items())
        connection.execute(
            _SAVE_QUEUES,
            {
                "ids": [name for name, _ in queues],
                "turn": [at.turn for _, at in queues],
                "given": [at.given for _, at in queues],
                "seats": [_json(at.seats) for _, at in queues],
                "had": [_json(at.had) for _, at in queues],
                "last": [_json(at.last) for _, at in queues],
            },
        )
    if book.reps:
        reps = list(book.reps.items())
        connection.execute(
            _SAVE_REPS,
            {
                "ids": [name for name, _ in reps],
                "open": [at.open for _, at in reps],
                "day": [at.day for _, at in reps],
                "taken": [at.taken for _, at in reps],
            },
        )


def _locked(connection: Connection, select: Any, create: Any, ids: Collection[str]) -> list[Row[Any]]:
    if not ids:
        return []
    rows = connection.execute(select, {"ids": list(ids)}).all()
    if len(rows) < len(ids):
        connection.execute(create, {"ids": sorted(set(ids) - {row.id for row in rows})})
        rows = connection.execute(select, {"ids": list(ids)}).all()
    return list(rows)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
