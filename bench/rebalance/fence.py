"""Which rounds of a worker that lost partitions the broker refuses, by protocol and by where its metadata came from."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bench.rebalance.protocols import Protocol
from tests.waiting import until

TOPIC, SECONDS, AWAKE_SECONDS = "fenced", 60.0, 6.0
QUIET = {"log_level": 2}
CASES = (
    "nobody's metadata, before joining",
    "metadata of before the rebalance, partition kept",
    "metadata of before the rebalance, partition lost",
    "metadata asked anew, partition lost",
    "frozen, then awake: metadata from when it was assigned",
    "frozen, then awake: metadata asked anew, until it is assigned again",
)


class Worker:
    """A consumer with a producer, and what the broker says to its rounds."""

    def __init__(self, bootstrap: str, protocol: Protocol, name: str) -> None:
        told = {**QUIET, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        self.consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"{TOPIC}-group", **told, **protocol.consumer}
        )
        self.producer = Producer({**QUIET, "bootstrap.servers": bootstrap, "transactional.id": name})
        self.producer.init_transactions(30)
        self.before_joining = self.metadata()
        self.at_assignment: Any = None
        self.consumer.subscribe([TOPIC], on_assign=self._assigned)

    def metadata(self) -> Any:
        """Of the group, as librdkafka has it now."""
        return self.consumer.consumer_group_metadata()

    def mine(self) -> list[int]:
        """Partitions, after a look at what the group says."""
        self.consumer.poll(0.05)
        return sorted(one.partition for one in self.consumer.assignment())

    def settle(self, number: int, metadata: Any) -> str:
        """`accepted`, or the name of the error."""
        self.producer.begin_transaction()
        try:
            self.producer.send_offsets_to_transaction([TopicPartition(TOPIC, number, 0)], metadata, 10)
            self.producer.commit_transaction(10)
        except KafkaException as why:
            self.producer.abort_transaction(10)
            return str(why.args[0].name())
        return "accepted"

    def _assigned(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self.at_assignment = consumer.consumer_group_metadata()


def verdicts(bootstrap: str, protocol: Protocol) -> dict[str, str]:
    """What the broker says, by case."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(TOPIC, 2)])[TOPIC].result(60)
    return dict(zip(CASES, [*_of_a_rebalance(bootstrap, protocol), *_of_the_frozen(bootstrap, protocol)], strict=True))


def _of_a_rebalance(bootstrap: str, protocol: Protocol) -> Iterator[str]:
    first = Worker(bootstrap, protocol, "first")
    until(lambda: len(first.mine()) == 2, SECONDS, "both partitions")
    old = first.metadata()
    yield first.settle(0, first.before_joining)
    second = Worker(bootstrap, protocol, "second")
    until(lambda: len(second.mine()) == len(first.mine()) == 1, SECONDS, "one partition each")
    until(lambda: first.metadata() != old, SECONDS, "another generation")
    [kept] = first.mine()
    yield first.settle(kept, old)
    yield first.settle(1 - kept, old)
    yield first.settle(1 - kept, first.metadata())
    for worker in (first, second):
        worker.consumer.close()


def _of_the_frozen(bootstrap: str, protocol: Protocol) -> Iterator[str]:
    ours, theirs = get_context("spawn").Pipe()
    frozen = get_context("spawn").Process(target=_freezing, args=(theirs, bootstrap, protocol), daemon=True)
    frozen.start()
    ours.recv()
    other = Worker(bootstrap, protocol, "other")
    assert frozen.pid is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    until(lambda: len(other.mine()) == 2, SECONDS * 2, "the frozen one's partition")
    os.kill(frozen.pid, signal.SIGCONT)
    ours.send("go")
    yield from ours.recv()
    frozen.join()
    other.consumer.close()


def _freezing(pipe: Connection, bootstrap: str, protocol: Protocol) -> None:
    worker = Worker(bootstrap, protocol, "frozen")
    until(lambda: len(worker.mine()) == 2, SECONDS, "both partitions")
    at_assignment = worker.at_assignment
    pipe.send("assigned")
    pipe.recv()
    at_once = worker.settle(0, at_assignment)
    said: dict[str, str] = {}
    until_seconds = monotonic() + AWAKE_SECONDS
    while monotonic() < until_seconds and not worker.mine():
        known = worker.metadata()
        whose = "nobody's" if known == worker.before_joining else "a member's"
        if known != at_assignment and str(known) not in said:
            said[str(known)] = f"{worker.settle(0, known)} ({whose})"
    pipe.send((at_once, ", ".join(dict.fromkeys(said.values())) or "never asked: it had partitions again at once"))
    os._exit(0)
