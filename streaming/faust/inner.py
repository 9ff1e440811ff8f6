"""The one place where inner parts of Faust are touched; `tests/contract/test_inner_parts.py` holds them to it.

Faust's consumer reads uncommitted records unless the whole app runs in its own exactly-once mode, and has no setting
for it. Every reader of ours reads committed ones.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver


class CommittedThread(driver.AIOKafkaConsumerThread):
    """Makes a consumer that reads committed records."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust decides by this flag alone, here, and it means more elsewhere: so it is set for this call.
        consumer = self.consumer
        before, consumer.in_transaction = consumer.in_transaction, True
        try:
            return super()._create_worker_consumer(transport)
        finally:
            consumer.in_transaction = before


class CommittedConsumer(driver.Consumer):
    """Faust's consumer, on such a thread."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """Faust's transport, with such a consumer; an app takes it by its public `transport`."""

    Consumer = CommittedConsumer
