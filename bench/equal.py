"""Whether a peer wrote what it should: each output is held against the reference, byte by byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.peers.floor import DIGEST
from bench.topics import Topics
from bench.world import number_of


class _Id(msgspec.Struct):
    event_id: str


_id = msgspec.json.Decoder(_Id).decode


@dataclass(slots=True)
class Verdict:
    """What was found in a peer's output. `fields` counts what differs, where the whole reference is at hand."""

    records: int = 0
    again: int = 0
    different: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    @property
    def words(self) -> str:
        """In a sentence."""
        said = f"{self.records:,} outputs, {self.different:,} other than the reference"
        if self.fields:
            said += f" (in {', '.join(f'{name}: {n}' for name, n in self.fields.most_common(8))})"
        return said + (f", {self.again:,} written twice" if self.again else "")


class Reference:
    """What must come out, by the n-th event: a digest of each, and the first ones whole."""

    def __init__(self, path: Path) -> None:
        self._digests = path.read_bytes()
        whole = path.with_suffix(".json").read_text().splitlines()
        self._whole = {json.loads(line)["event_id"]: line.encode() for line in whole}

    def judge(self, values: Iterator[bytes]) -> Verdict:
        """Compare outputs."""
        verdict, seen = Verdict(), bytearray(len(self._digests) // DIGEST)
        for value in values:
            event_id = _id(value).event_id
            n = number_of(event_id)
            verdict.records += 1
            verdict.again += seen[n]
            seen[n] = 1
            if blake2b(value, digest_size=DIGEST).digest() != self._digests[n * DIGEST : (n + 1) * DIGEST]:
                verdict.different += 1
                if event_id in self._whole:
                    verdict.fields.update(differing(json.loads(value), json.loads(self._whole[event_id])))
        return verdict


def differing(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Names of the fields that differ; `order of fields` where only that does."""
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return names or ["how it is written"]


def values_of(topics: Topics, topic: str) -> Iterator[bytes]:
    """Every committed value of a topic."""
    reader = Consumer(
        {
            "bootstrap.servers": topics.bootstrap,
            "group.id": "bench-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    ends = topics.ends(topic)
    reader.assign([TopicPartition(topic, number, 0) for number, end in enumerate(ends) if end])
    left = sum(1 for end in ends if end)
    try:
        while left:
            for message in reader.consume(5_000, 1.0):
                if message.error() is not None:
                    left -= 1
                else:
                    yield message.value() or b""
    finally:
        reader.close()
