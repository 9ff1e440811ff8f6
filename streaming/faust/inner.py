"""The one place where inner parts of Faust are touched; `tests/contract/test_inner_parts.py` holds them to it.

Faust's consumer reads uncommitted records unless the whole app runs in its own exactly-once mode, and has no setting
for it. Every reader of ours reads committed ones, and rests where the broker holds no fetch (see `rest.py`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from faust.transport.drivers import aiokafka as driver

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
