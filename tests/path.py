"""The whole path without a broker: three stages on the in-memory runner, the ledger in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from schemas.topics import MARKETING_EVENTS
from services.ingest import sources
from services.ingest.stage import make_stage as ingest
from services.routing import plan
from services.routing.ledger import Ledger, outbox, upgrade
from services.routing.stage import make_stage as routing
from services.scoring import ruleset
from services.scoring.stage import make_stage as scoring
from streaming.memory import MemoryRunner
from tests.audit.ledger import read_ledger
from tests.audit.records import Seen, read_object
from tests.audit.report import Report, audit


class WholePath:
    """Ingest, scoring and routing in a row, on the four files of `config`."""

    def __init__(self, config: Path, database_url: str, now: datetime, partitions: int = 4) -> None:
        upgrade(database_url)
        self._url = database_url
        self._ledger = Ledger.at(database_url)
        self.runner = MemoryRunner(
            [
                ingest(sources.load(config / "sources.yaml", {})),
                scoring(ruleset.load(config / "scoring.yaml")),
                routing(plan.load(config / "routing.yaml", config / "roster.yaml"), self._ledger),
            ],
            partitions,
            now=now.timestamp(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ledger.close()

    def send(self, events: Iterable[Mapping[str, Any] | bytes]) -> None:
        """Publish events, or lines as they are, each person's in order; work until all is done and published."""
        for event in events:
            line = event if isinstance(event, bytes) else orjson.dumps(event)
            subject = (read_object(line) or {}).get("subject")
            self.runner.send(MARKETING_EVENTS, orjson.dumps(subject), line)
        self.run()

    def run(self) -> None:
        """Work until nothing is left to do, the relay's work too."""
        while self.runner.run() or self._relay():
            pass

    def _relay(self) -> int:
        with self._ledger.engine.begin() as connection:
            found, _ = outbox.waiting(connection, 100_000, 1_000_000_000)
            outbox.drop(connection, found, {one.lane: one.sequence + 1 for one in found})
        self.runner.publish(one.output for one in found)
        return len(found)

    def seen(self) -> dict[str, list[Seen]]:
        """Every record of every topic, as an outsider sees it."""
        return {topic: [_seen(record) for record in records] for topic, records in self.runner.log.topics.items()}

    def audit(self) -> Report:
        """What the independent reader says."""
        return audit(self.seen(), read_ledger(self._url))

    def suppressed(self) -> dict[str, str]:
        """Reasons by lead."""
        return read_ledger(self._url).suppressed


def _seen(record: Any) -> Seen:
    return Seen(
        record.topic(),
        record.partition(),
        record.offset(),
        (record.key() or b"").decode(errors="replace"),
        record.value(),
        {name: (value or b"").decode() for name, value in record.headers() or ()},
        record.timestamp()[1],
    )
