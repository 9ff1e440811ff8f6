"""Failed records whose topic is compacted, and holds a newer record of their key by now.

There the last record of a key is what readers believe. An old one must not become the last again, and need not be
replayed: the newer one tells all that it did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import Message

from baton.failed import FailedRecord, place
from baton.provisioning import kafka_address
from baton.records import partitions_of, raw_headers, read_spans, spans
from baton.refusal import Refusal
from baton.settings import Settings
from schemas.headers import REPLAY_OF, header_map
from schemas.topics import all_topics
from streaming.partition import partition_of

COMPACTED = frozenset(topic.name for topic in all_topics([]) if "compact" in topic.cleanup)


class _Suspect(NamedTuple):
    """A record by the id under which it failed. `offset`: in its topic; -1 where it never stood there.

    `origin`: the id under which it failed before it was replayed, where it was; the same else.
    """

    id: str
    origin: str
    offset: int
    at: float

    def is_behind(self, message: Message) -> bool:
        """Whether a record of the same key is a later one; of what never stood there the time must tell."""
        replay_of = header_map(raw_headers(message)).get(REPLAY_OF)
        if replay_of and (replay_of == self.id or _is_not_after(replay_of, self.origin)):
            return False
        if self.offset >= 0:
            return self.offset < (message.offset() or 0)
        return message.timestamp()[1] >= int(self.at * 1000)


@dataclass(slots=True)
class Suspects:
    """Records that may have been overtaken, by topic, partition (-1: the key's) and key."""

    prefix: str
    places: dict[tuple[str, int], dict[bytes, list[_Suspect]]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, one: FailedRecord) -> bool:
        """Remember a record where it may be one; whether it may."""
        stood = one.offset >= 0 or bool(one.set_aside)
        may = one.topic.removeprefix(self.prefix) in COMPACTED and one.key is not None and stood
        if may and one.key is not None:
            suspect = _Suspect(one.id, one.replay_of or one.id, one.offset, one.at)
            self.places[one.topic, one.partition].setdefault(one.key, []).append(suspect)
        return may


def overtaken(settings: Settings, suspects: Suspects) -> set[str]:
    """Ids of those that are; replays of them, or of what failed before them, do not count. Raises `Refusal`."""
    if not suspects.places:
        return set()
    address = kafka_address(settings)
    counts = {topic: partitions_of(address, topic) for topic, _ in suspects.places}
    sought: dict[tuple[str, int], dict[bytes, list[_Suspect]]] = defaultdict(dict)
    for (topic, partition), keys in suspects.places.items():
        for key, some in keys.items():
            number = partition if partition >= 0 else partition_of(key, max(1, counts[topic]))
            sought[topic, number].setdefault(key, []).extend(some)
    known = spans(address, counts)
    oldest = {slot: min(one.offset for some in keys.values() for one in some) for slot, keys in sought.items()}
    wanted = {
        slot: (max(start, oldest[slot] + 1), end)
        for slot, (start, end) in known.items()
        if slot in oldest and oldest[slot] + 1 < end
    }
    found: set[str] = set()
    for message in read_spans(address, wanted):
        mine: Sequence[_Suspect] = sought[message.topic() or "", message.partition() or 0].get(message.key() or b"", ())
        found |= {one.id for one in mine if one.is_behind(message)}
    return found


def _is_not_after(one: str, other: str) -> bool:
    """Whether a failed record is the same as the other, or failed before it; those of a key share a partition."""
    try:
        (*where, offset), (*other_where, other_offset) = place(one), place(other)
    except Refusal:  # a stranger's header
        return False
    return where == other_where and offset <= other_offset
