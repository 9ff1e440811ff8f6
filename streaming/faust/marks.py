"""Where a partition goes on, as the changelog says that holds its state.

Each round writes the next offset of its source partition into the changelog, as its last record there. So state and
position lie in one partition of one log and cannot part, while the group's offsets lie elsewhere: a lone broker that
was killed has been seen to answer with those of a quarter of an hour ago, and to take what was committed on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException

from streaming.faust.faults import Unsettled
from streaming.faust.offsets import Ends
from streaming.faust.settings import EngineSettings, slot
from streaming.stage import MARK

BACK, FURTHER = 100, 20
"""So many offsets before the end it is looked for first, and so many times as far if it is not there."""
STILL_SECONDS = 2.0


class Mark(NamedTuple):
    """All of a source partition before `next` is done.

    Its key is `MARK`. A partition of a changelog begins with one: where there is none, nobody has worked yet.
    `origin`: the source's identity, for it may be made anew; `owner`: the transactional id of the worker that says so.
    """

    origin: str
    next: int
    owner: str = ""

    def to_bytes(self) -> bytes:
        """As it stands in the changelog."""
        return b"%b %d %b" % (self.origin.encode(), self.next, self.owner.encode())

    @classmethod
    def of(cls, value: bytes | None) -> Mark | None:
        """None for what is no such mark: until 2026-11 it had no value."""
        origin, _, rest = (value or b"").decode(errors="replace").partition(" ")
        number, _, owner = rest.partition(" ")
        return cls(origin, int(number), owner) if number.isascii() and number.isdigit() else None


def last_marks(settings: EngineSettings, changelog: str, around: Mapping[int, Ends]) -> dict[int, Mark | None]:
    """The last committed mark of each partition of a changelog that has one. Raises as `last_values`."""
    return {number: Mark.of(value) for number, value in last_values(settings, changelog, around, MARK).items()}


def last_values(
    settings: EngineSettings, topic: str, around: Mapping[int, Ends], key: bytes
) -> dict[int, bytes | None]:
    """The last committed value of `key` in each partition that has one; `around`: where they begin and end.

    Looked for from the end. Raises Unsettled where a transaction is open before one of these ends, KafkaException.
    """
    found: dict[int, bytes | None] = {}
    left = {number: (low, high) for number, (low, high) in around.items() if low < high}
    if not left:
        return found
    back, reader = BACK, settings.changelog_reader()
    try:
        while left:
            starts = {number: max(low, high - back) for number, (low, high) in left.items()}
            found |= _read(reader, topic, key, starts, left)
            left = {n: (low, starts[n]) for n, (low, _) in left.items() if n not in found and starts[n] > low}
            back *= FURTHER
    finally:
        reader.close()
    return found


def _read(
    reader: Consumer, topic: str, key: bytes, starts: Mapping[int, int], around: Mapping[int, Ends]
) -> dict[int, bytes | None]:
    """The last values of `key` from `starts` to the ends."""
    found: dict[int, bytes | None] = {}
    todo, last = dict(starts), monotonic()
    reader.assign([slot(topic, number, start) for number, start in starts.items()])
    while todo:
        messages = reader.consume(10_000, 0.1)
        if messages:
            last = monotonic()
        elif monotonic() - last > STILL_SECONDS:
            raise Unsettled(f"the end of {topic} does not come")
        for message in messages:
            number, at, error = message.partition() or 0, message.offset() or 0, message.error()
            if number not in todo:
                continue
            if error is None:
                if at < around[number][1] and message.key() == key:
                    found[number] = message.value()
                at += 1
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 that is how confluent-kafka names it
                if error.retriable():
                    continue
                raise KafkaException(error)
            if at >= around[number][1]:
                del todo[number]
    return found
