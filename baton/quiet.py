"""Quiet topics run on ordinary Faust agents: a record at a time, in order, acknowledged once its effect is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from services.routing.outcomes import Outcomes
from streaming import metrics
from streaming.faust.app import StageApp
from streaming.stage import RawHeaders, TransientError

log = logging.getLogger(__name__)

_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)  # seconds before a record is tried again
STAGE = "outcomes"


@dataclass(frozen=True, slots=True)
class QuietMessage:
    """A record as stages know it, of one as Faust hands it over."""

    record: Any

    def topic(self) -> str:  # noqa: D102 named by librdkafka
        return str(self.record.topic)

    def partition(self) -> int:  # noqa: D102
        return int(self.record.partition)

    def offset(self) -> int:  # noqa: D102
        return int(self.record.offset)

    def key(self) -> bytes | None:  # noqa: D102
        key: bytes | None = self.record.key
        return key

    def value(self) -> bytes | None:  # noqa: D102
        value: bytes | None = self.record.value
        return value

    def headers(self) -> RawHeaders | None:  # noqa: D102
        found = self.record.headers or ()
        return list(found.items()) if isinstance(found, dict) else list(found)

    def timestamp(self) -> tuple[int, int]:  # noqa: D102
        return 1, int((self.record.timestamp or 0) * 1000)


def read_outcomes(app: StageApp, outcomes: Outcomes) -> None:
    """Declare the agent that takes `sales.outcomes`. A fault that passes holds it up; nothing is skipped."""
    if app.settings.static_instance:
        app.conf.consumer_group_instance_id = app.settings.instance

    async def take(stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            result = await _taken(outcomes, QuietMessage(event.message))
            metrics.RECORDS.labels(STAGE, result).inc()
            yield

    app.agent(app.topic(outcomes.source, value_type=bytes, key_type=bytes), name="baton.outcomes")(take)


async def _taken(outcomes: Outcomes, message: QuietMessage) -> str:
    tries = 0
    while True:
        try:
            return await asyncio.to_thread(outcomes.take, message)
        except TransientError as error:
            log.warning("an outcome has to wait: %s", error)
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
