"""Records and sources by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.source import Source, Sources
from services.ingest.stage import make_stage
from streaming.stage import Batch, Failure, Output, State

AT = datetime(2026, 9, 24, 8, 42, 10, tzinfo=UTC)


@dataclass
class Record:
    """A record of a topic, as a handler sees it."""

    content: bytes | None
    heads: tuple[tuple[str, bytes | None], ...] = ()
    at: int = int(AT.timestamp() * 1000)
    name: bytes | None = None

    def topic(self) -> str:
        return "marketing.events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> Any:
        return list(self.heads)

    def timestamp(self) -> tuple[int, int]:
        return (1, self.at)


@dataclass
class Ingested:
    """What the stage made of some records."""

    outputs: list[Output]
    failures: list[Failure]

    @property
    def values(self) -> list[Any]:
        return [json.loads(output.value or b"null") for output in self.outputs]

    @property
    def reasons(self) -> list[str]:
        return [failure.reason for failure in self.failures]


SOURCES = Sources(
    (
        Source("website", "form", region="US"),
        Source("berlin", "form", region="DE"),
        Source("events", "events", aliases=("https://events.example.com/webinars",)),
    )
)


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(content: Any, **more: Any) -> Record:
        raw = content if isinstance(content, bytes) or content is None else json.dumps(content).encode()
        return Record(raw, **more)

    return make


@pytest.fixture
def ingest() -> Callable[..., Ingested]:
    stage = make_stage(SOURCES)

    def run(*records: Record) -> Ingested:
        batch: Batch[Any] = Batch(records, State({}))
        stage.handler(batch)
        return Ingested(batch.outputs, batch.failures)

    return run


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    def make(**more: Any) -> dict[str, Any]:
        return {
            "event_id": "e-1",
            "type": "form_submitted",
            "occurred_at": "2026-09-24T08:42:10Z",
            "source": "website",
            "subject": {"email": "Ana@Example.com"},
            **more,
        }

    return make
