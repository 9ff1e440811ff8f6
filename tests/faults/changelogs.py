"""What changelogs say, read without a line of the stages' code.

Profiles of people, how far the outbox was published, and whether compaction ran.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

MARK = b"claimed"
"""The key of what is no state: how far the state goes. Each round writes one in each of its partitions."""
LANES = b"lanes"
"""The key, in routing's changelog, of the one record that says how far the lanes of the outbox are published."""
COMPACTS_FROM = 10_000
"""Offsets beyond one a key, after which most must be gone: compaction was to run meanwhile."""
STAGE, LAYERS, SEEN, SIGNALS = 2, 4, 11, 12
"""Where these stand in a profile, which is an array of MessagePack."""
EVENT_BYTES, SIGNAL_BYTES = 13, 8


class Known(NamedTuple):
    """What is remembered of a person: how many events, how many views of the pricing page, and the stage."""

    events: int
    views: int
    stage: str


@dataclass
class Changelog:
    """The last value of each key, and how many records of how many offsets say so.

    `deletions`: keys whose last record has none. That goes, too, once it was there for long enough.
    """

    values: dict[bytes, bytes] = field(default_factory=dict)
    deletions: set[bytes] = field(default_factory=set)
    records: int = 0
    keys: set[bytes] = field(default_factory=set)
    last: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Changelog:
        """All of a topic, each partition in its order."""
        found = cls()
        for message in messages:
            key, value = message.key() or b"", message.value()
            found.records += 1
            found.keys.add(key)
            found.last[message.partition() or 0] = message.offset() or 0
            if value is None:
                found.values.pop(key, None)
                found.deletions.add(key)
            elif key != MARK:
                found.values[key] = value
                found.deletions.discard(key)
        return found

    @property
    def offsets(self) -> int:
        return sum(self.last.values())

    @property
    def is_compacted(self) -> bool:
        """Whether of what was written beyond one record a key most is gone. Half of that are markers, which go last."""
        beyond = self.offsets - len(self.keys)
        return beyond < COMPACTS_FROM or 4 * (self.records - len(self.keys)) < beyond

    def __str__(self) -> str:
        return f"{self.records} records left of {self.offsets} offsets"


def lanes(changelog: Changelog) -> tuple[str, dict[int, int]]:
    """The ledger that it is about, and the number that the next record of each lane has; "" where nothing is said."""
    said = json.loads(changelog.values.get(LANES, b'{"ledger": "", "next": {}}'))
    return said["ledger"], {int(lane): at for lane, at in said["next"].items()}


def known(changelog: Changelog) -> dict[str, Known]:
    """What scoring's changelog remembers of each person, by e-mail address."""
    found = {}
    for value in changelog.values.values():
        profile: list[Any] = msgspec.msgpack.decode(value)
        facts = {name: said for _, _, facts in profile[LAYERS] for name, said in facts.items()}
        views = len(profile[SIGNALS].get("pricing", b"")) // SIGNAL_BYTES
        found[str(facts.get("email"))] = Known(len(profile[SEEN]) // EVENT_BYTES, views, profile[STAGE])
    return found
