"""What was replayed, and how often: one record a failed record in the compacted topic `baton.replays`.

It is written in the transaction that replays, so the two never differ. Its key is the failed record's id.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson
from confluent_kafka import Message

from baton.failed import FailedRecord
from baton.provisioning import kafka_address
from baton.records import read
from baton.settings import Settings
from schemas.topics import REPLAYS


class Replayed(NamedTuple):
    """How often a failed record was replayed, and when last, in seconds since the epoch."""

    times: int
    at: float


class Replays:
    """All that was replayed, by the id of the failed record. A fifth of a kilobyte each in memory."""

    def __init__(self, known: dict[bytes, Replayed] | None = None) -> None:
        self._known = known if known is not None else {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def of(self, record: FailedRecord) -> Replayed | None:
        """What was done with a failed record; None where it was not replayed.

        A replay before it failed was of another record, which had its place in a topic that was since made anew.
        """
        found = self._known.get(record.id.encode())
        return found if found is not None and found.at >= record.at else None

    def marker(self, record: FailedRecord, now: float) -> tuple[bytes, bytes]:
        """Key and value that say that `record` was replayed `now`; from here on it is known."""
        before = self.of(record)
        done = Replayed(before.times + 1 if before else 1, max(now, record.at))
        self._known[record.id.encode()] = done
        return record.id.encode(), orjson.dumps({"times": done.times, "at": done.at})


def known(settings: Settings) -> Replays:
    """What was replayed up to now. Nothing, where the topic is not there. Raises `Refusal`."""
    found: dict[bytes, Replayed] = {}
    for message in read(kafka_address(settings), [settings.topic_prefix + REPLAYS]):
        key, done = message.key(), _replayed(message)
        if key is not None and done is not None:
            found[key] = done
    return Replays(found)


def _replayed(message: Message) -> Replayed | None:
    """What a record says; None where it says nothing that can be read."""
    try:
        said = orjson.loads(message.value() or b"")
        return Replayed(int(said["times"]), float(said["at"]))
    except (ValueError, KeyError, TypeError):
        return None
