"""Metrics of what was published: counted once the records stand in their topics, so nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from time import time

import msgspec

from schemas.topics import SALES_ASSIGNMENTS, SALES_QUEUE
from services.routing.ledger.outbox import Waiting
from streaming import metrics


class _Clocks(msgspec.Struct):
    captured_at: datetime | None = None


class _Routed(msgspec.Struct):
    queue: str
    clocks: _Clocks


class _Change(msgspec.Struct):
    queue: str
    status: str
    rep: str = ""


_ROUTED = msgspec.json.Decoder(_Routed)
_CHANGE = msgspec.json.Decoder(_Change)


def observe(published: Iterable[Waiting]) -> None:
    """Count leads on queues with the time that the handoff took, assignments and offers that ran out."""
    now = time()
    for waiting in published:
        topic, value = waiting.output.topic, waiting.output.value
        if value is None:
            continue
        if topic.endswith(SALES_ASSIGNMENTS):
            _count(_CHANGE.decode(value))
        elif SALES_QUEUE in topic:
            routed = _ROUTED.decode(value)
            if routed.clocks.captured_at is not None:
                seconds = max(0.0, now - routed.clocks.captured_at.timestamp())
                metrics.HANDOFF_SECONDS.labels(routed.queue).observe(seconds)


def _count(change: _Change) -> None:
    if change.status == "offered" or (change.status == "waiting" and not change.rep):
        metrics.ASSIGNMENTS.labels(change.queue, change.rep).inc()
    elif change.status == "expired":
        metrics.SLA_BREACHES.labels(change.queue).inc()
