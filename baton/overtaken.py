"""Failed records whose topic is compacted, and holds a newer record of their key by now.

There the last record of a key is what readers believe. An old one must not become the last again, and need not be
replayed: the newer one tells all that it did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from baton.failed import FailedRecord
from baton.provisioning import kafka_address
from baton.records import raw_headers, read_spans, spans
from baton.settings import Settings
from schemas.headers import REPLAY_OF, header_map
from schemas.topics import all_topics

COMPACTED = frozenset(topic.name for topic in all_topics([]) if "compact" in topic.cleanup)


@dataclass(slots=True)
class Suspects:
    """Records that may have been overtaken: offset in their source and id, by source topic, partition and key."""

    prefix: str
    places: dict[tuple[str, int], dict[bytes, list[tuple[int, str]]]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, one: FailedRecord) -> bool:
        """Remember a record where it may be one; whether it may."""
        may = one.topic.removeprefix(self.prefix) in COMPACTED and one.key is not None and one.offset >= 0
        if may and one.key is not None:
            self.places[one.topic, one.partition].setdefault(one.key, []).append((one.offset, one.id))
        return may


def overtaken(settings: Settings, suspects: Suspects) -> set[str]:
    """Ids of those that are; a record's own replays do not count. Raises `Refusal`."""
    if not suspects.places:
        return set()
    address = kafka_address(settings)
    known = spans(address, {topic for topic, _ in suspects.places})
    oldest = {slot: min(offset for of in keys.values() for offset, _ in of) for slot, keys in suspects.places.items()}
    wanted = {
        slot: (max(start, oldest[slot] + 1), end)
        for slot, (start, end) in known.items()
        if slot in oldest and oldest[slot] + 1 < end
    }
    found: set[str] = set()
    for message in read_spans(address, wanted):
        mine: Sequence[tuple[int, str]] = suspects.places[message.topic() or "", message.partition() or 0].get(
            message.key() or b"", ()
        )
        if mine:
            replay_of = header_map(raw_headers(message)).get(REPLAY_OF)
            found |= {name for offset, name in mine if offset < (message.offset() or 0) and name != replay_of}
    return found
