"""What the endpoints of the collector share: sources, clock, limits, and the way into Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from schemas import MarketingEvent
from schemas.headers import RECEIVED_AT, cloudevent, rfc3339
from schemas.ids import derived_id
from services.ingest.platforms.platform import Fetcher
from services.ingest.publisher import NotSafe, Outgoing, Overloaded, Publisher
from services.ingest.refusal import refused
from services.ingest.source import Sources
from streaming import metrics

log = structlog.get_logger(__name__)

NAME = "collector"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost us. `body` in bytes, `body_seconds` for it to arrive."""

    body: int = 1024 * 1024
    body_seconds: float = 20.0
    fields: int = 1_000


@dataclass(frozen=True, slots=True)
class Door:
    """Everything that an endpoint needs. `clock` gives an aware time."""

    sources: Sources
    publisher: Publisher
    clock: Callable[[], datetime]
    topic: str
    failed: str
    fetchers: Mapping[str, Fetcher] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    heard: dict[str, float] = field(default_factory=dict)
    """When each source was last heard of, in seconds since the epoch."""

    def watch(self) -> None:
        """Show in the metrics which sources are silent for longer than expected, counted from now on."""
        for source in self.sources:
            if source.expect_every is not None:
                self.heard.setdefault(source.id, self.clock().timestamp())
                metrics.SOURCE_SILENT.labels(source.id).set_function(
                    partial(self._silent, source.id, source.expect_every)
                )

    def _silent(self, source: str, expect_every: float) -> float:
        return float(self.clock().timestamp() - self.heard[source] > expect_every)

    async def take(self, events: Sequence[MarketingEvent]) -> None:
        """Return once the events are in Kafka. Raises `Refused` (`overloaded`, `not_safe_yet`)."""
        await self.store([_outgoing(event, self.topic) for event in events])
        for event in events:
            if event.received_at is not None:
                self.heard[event.source] = event.received_at.timestamp()
                metrics.SOURCE_LAST_EVENT.labels(event.source).set(self.heard[event.source])
        count("accepted", len(events))

    async def store(self, records: Sequence[Outgoing]) -> None:
        """The same for records as they are."""
        try:
            await self.publisher.publish(records)
        except Overloaded:
            raise refused("overloaded", "", "too much is under way", "Send it again, more slowly") from None
        except NotSafe as why:
            log.warning("events not safe in time", records=len(records), why=str(why))
            raise refused(
                "not_safe_yet", "", "Kafka did not take the events in time", "Send them again: repeats are dropped"
            ) from None


def count(outcome: str, events: int) -> None:
    """Count what became of events at the door: `accepted` or `refused`."""
    if events:
        metrics.RECORDS.labels(NAME, outcome).inc(events)


def _outgoing(event: MarketingEvent, topic: str) -> Outgoing:
    subject = event.subject
    person = subject.email or subject.phone or subject.external_id or subject.anonymous_id or event.event_id
    received = [(RECEIVED_AT, rfc3339(event.received_at).encode())] if event.received_at else []
    headers = cloudevent(
        id=event.event_id, source=f"baton/{NAME}/{event.source}", type=event.ce_type, time=event.occurred_at
    )
    # Keyed so that a person's events mostly stay in order; derived, so that the key names nobody.
    return Outgoing(topic, derived_id("door", person.lower()).encode(), event.to_json(), [*headers, *received])
