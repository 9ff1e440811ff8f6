"""What there is of failed records, in short: counts by stage and reason, and the latest. In bounded memory."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from baton.failed import FailedRecord
from baton.replays import Replays


@dataclass(slots=True)
class Count:
    """The records of one stage and reason; `first` and `last` are when they failed, as RFC 3339."""

    stage: str
    reason: str
    first: str
    last: str
    records: int = 0
    replayed: int = 0


class Summary:
    """Takes one record after the other; keeps the latest `limit` of them, all where it is 0.

    Of a record it keeps what a row of the list shows: a value may have a megabyte.
    """

    def __init__(self, known: Replays, limit: int) -> None:
        self.records = 0
        self._known, self._limit = known, limit
        self._counts: dict[tuple[str, str], Count] = {}
        self._span: dict[tuple[str, str], tuple[float, float]] = {}
        self._latest: list[tuple[float, int, FailedRecord]] = []

    def take(self, one: FailedRecord) -> None:
        """Count a record."""
        self.records += 1
        group = (one.stage, one.reason)
        first, last = self._span.get(group, (one.at, one.at))
        self._span[group] = (min(first, one.at), max(last, one.at))
        count = self._counts.setdefault(group, Count(*group, "", ""))
        count.records += 1
        count.replayed += self._known.of(one) is not None
        entry = (one.at, self.records, replace(one, key=None, value=None, headers=(), trace=""))
        if self._limit and len(self._latest) == self._limit:
            heapq.heappushpop(self._latest, entry)
        else:
            heapq.heappush(self._latest, entry)

    def counts(self) -> list[Count]:
        """By stage and reason."""
        for group, (first, last) in self._span.items():
            self._counts[group].first, self._counts[group].last = rfc3339(first), rfc3339(last)
        return [self._counts[group] for group in sorted(self._counts)]

    def latest(self) -> list[FailedRecord]:
        """The latest ones, by the time at which they failed."""
        return [one for _, _, one in sorted(self._latest)]


def row(one: FailedRecord, known: Replays) -> dict[str, Any]:
    """A record as a list shows it, with how often it was replayed, and when last: `replayed`, `replayed_at`."""
    done = known.of(one)
    return one.row() | {"replayed": done.times if done else 0, "replayed_at": rfc3339(done.at) if done else None}


def rfc3339(at: float) -> str:
    """Seconds since the epoch, to the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
