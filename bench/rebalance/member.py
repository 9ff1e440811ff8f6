"""A member of the group that settles rounds as a stage does: offsets in a transaction, with the group's metadata.

    python -m bench.rebalance.member BOOTSTRAP TOPIC NAME CONSUMER-SETTINGS-AS-JSON

Says on standard output, a JSON object a line, what it has and what it settled, by the machine's monotonic clock.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

CALL_SECONDS = 10.0


def say(**told: Any) -> None:
    """One line."""
    print(json.dumps({"at": monotonic(), **told}), flush=True)


class Member:
    """Takes the group's metadata where partitions come or go, and anew where the broker refuses it."""

    def __init__(self, bootstrap: str, topic: str, name: str, told: dict[str, Any]) -> None:
        common = {"bootstrap.servers": bootstrap, "client.id": name}
        self.topic, self.stopping = topic, threading.Event()
        self.consumer = Consumer(
            {
                **common,
                "group.id": f"{topic}-group",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                **told,
            }
        )
        self.producer = Producer({**common, "transactional.id": name, "retry.backoff.ms": 10, "linger.ms": 0})
        self.producer.init_transactions(CALL_SECONDS * 3)
        self.metadata: Any = None

    def run(self) -> None:
        """Until SIGTERM."""
        say(joining=True)
        self.consumer.subscribe([self.topic], on_assign=self._moved, on_revoke=self._moved, on_lost=self._moved)
        while not self.stopping.is_set():
            records = [one for one in self.consumer.consume(500, 0.02) if one.error() is None]
            had = self.consumer.assignment()
            if records and had:
                self._settle(records)
        self.consumer.close()
        say(left=True)

    def _moved(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Partitions come or go; librdkafka adds or takes them after this call."""
        self.metadata = consumer.consumer_group_metadata()
        say(moved=len(partitions))

    def _settle(self, records: Sequence[Message]) -> None:
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for one in records:
            number, offset = one.partition() or 0, one.offset() or 0
            first.setdefault(number, offset)
            last[number] = offset + 1
        try:
            self.producer.begin_transaction()
            self.producer.produce(f"{self.topic}.out", b"round")
            offsets = [TopicPartition(self.topic, number, offset) for number, offset in last.items()]
            self.producer.send_offsets_to_transaction(offsets, self.metadata, CALL_SECONDS)
            self.producer.commit_transaction(CALL_SECONDS)
        except KafkaException as why:
            say(refused=why.args[0].name())
            self.producer.abort_transaction(CALL_SECONDS)
            self.metadata = self.consumer.consumer_group_metadata()
            mine = {one.partition for one in self.consumer.assignment()}
            for number in first.keys() & mine:
                self.consumer.seek(TopicPartition(self.topic, number, first[number]))
        else:
            say(settled=sorted(last))


def main() -> None:
    """Run one until it is told to stop."""
    bootstrap, topic, name, told = sys.argv[1:]
    member = Member(bootstrap, topic, name, json.loads(told))
    signal.signal(signal.SIGTERM, lambda *_: member.stopping.set())
    member.run()


if __name__ == "__main__":
    main()
