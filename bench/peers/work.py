"""The work itself, for the peers in Python: the handler of our scoring stage; and what a peer is told."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from schemas.headers import SCORED_AT
from services.scoring.ruleset import load
from services.scoring.stage import make_stage
from streaming.run import rfc3339
from streaming.stage import Batch, Output, RawHeaders, State

RULES = Path(__file__).parents[1] / "config" / "scoring.yaml"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer works; everything is there but what the peer's own library makes."""

    bootstrap: str
    source: str
    out: str
    changelog: str
    group: str
    partitions: int
    data: Path

    @classmethod
    def of_environment(cls) -> Place:
        """What `bench.running` has set."""
        told = {
            name: os.environ[f"BENCH_{name.upper()}"] for name in ("bootstrap", "source", "out", "changelog", "group")
        }
        return cls(**told, partitions=int(os.environ["BENCH_PARTITIONS"]), data=Path(os.environ["BENCH_DATA"]))


class Record:
    """A record as the handler wants it, for libraries that have another form for it."""

    __slots__ = ("_headers", "_key", "_timestamp", "_value")

    def __init__(self, key: bytes | None, value: bytes | None, headers: RawHeaders, timestamp_ms: int) -> None:
        self._key, self._value, self._headers, self._timestamp = key, value, headers, timestamp_ms

    def topic(self) -> str:
        return ""

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> RawHeaders:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, self._timestamp


class Work:
    """The handler, over one record or over many."""

    def __init__(self) -> None:
        self.handler = make_stage(load(RULES)).handler

    def many(self, records: Sequence[Any], state: dict[bytes, bytes]) -> tuple[list[Output], dict[bytes, Any]]:
        """Outputs of records of one partition, stamped, and the new values by key; `state` is brought up to date."""
        batch: Batch[bytes] = Batch(records, State(state))
        self.handler(batch)
        if batch.failures:
            raise RuntimeError(f"{batch.failures[0].reason}: {batch.failures[0].detail}")
        state.update(batch.state.new)  # type: ignore[arg-type]  # scoring forgets no lead
        stamp = (SCORED_AT, rfc3339(time()).encode())
        stamped = [
            Output(topic, key, value, [*headers, stamp], n) for topic, key, value, headers, n, _ in batch.outputs
        ]
        return stamped, batch.state.new

    def one(self, record: Any, stored: bytes | None) -> tuple[Output, bytes]:
        """The output of one record, stamped, and the new value of its key."""
        key = record.key()
        outputs, new = self.many([record], {} if stored is None else {key: stored})
        return outputs[0], new[key]
