"""The one place where inner parts of Faust are touched; `tests/contract/test_inner_parts.py` holds them to it.

Faust's consumer reads uncommitted records unless the whole app runs in its own exactly-once mode, and has no setting
for it. Every reader of ours reads committed ones, and rests where the broker holds no fetch (see `rest.py`).

And a record that its client cannot decode ends it, with the worker: such records are read by another client.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streaming.faust.another_client import read

log = logging.getLogger(__name__)

GLANCE_SECONDS, REST_SECONDS = 0.005, 2.0
"""What was asked for in a glance and comes later is kept until the next one."""


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Makes a consumer that reads committed records."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust decides by this flag alone, here, and it means more elsewhere: so it is set for this call.
        consumer = self.consumer
        before, consumer.in_transaction = consumer.in_transaction, True
        try:
            made = super()._create_worker_consumer(transport)
        finally:
            consumer.in_transaction = before
        if transport.app.settings.rest_seconds:
            self.add_future(_rest_now_and_then(made))
        return made

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 Faust's name
        """Records by partition, as Faust asks for them."""
        try:
            return await super().getmany(active_partitions, timeout)
        except UnicodeDecodeError as error:
            log.warning("Faust's client cannot decode a record (%s): another one reads on", error)
            return await self._by_another_client(active_partitions or self.assignment())

    async def _by_another_client(self, parts: set[TP]) -> Any:
        await self.consumer.perform_seek()
        at = {part: offset for part in parts if (offset := await self.position(part)) is not None}
        app: Any = self.consumer.app  # a StageApp
        found = await asyncio.to_thread(read, app.settings, at)
        ours = self.assignment()
        for part, records in found.items():
            if part in ours:
                self.seek(part, records[-1].offset + 1)
        return {part: records for part, records in found.items() if part in ours}


async def _rest_now_and_then(consumer: Any) -> None:
    """What comes meanwhile waits: its topics are quiet, and nobody is in a hurry for them."""
    while True:
        await asyncio.sleep(GLANCE_SECONDS)
        resting = consumer.assignment()
        consumer.pause(*resting)
        await asyncio.sleep(REST_SECONDS)
        consumer.resume(*(resting & consumer.assignment()))


class CommittedConsumer(driver.Consumer):
    """Faust's consumer, on such a thread."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """Faust's transport, with such a consumer; an app takes it by its public `transport`."""

    Consumer = CommittedConsumer
