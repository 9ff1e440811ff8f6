"""A worker that is put out of its group while its handler works, and that stands still there until it may go on."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Consumer, Message
from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import NoError

from streaming.faust.app import make_app
from streaming.stage import Batch
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.in_process import counting, settings
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import WAIT, Place
from tests.waiting import until

LAST = PARTITIONS - 1


class Member(Consumer):
    """A consumer that gives the metadata of nobody once it is told that it is lost, until it has joined again.

    librdkafka does so by itself, in moments that no test can hold. Before and after, it gives the old generation and
    no name for a while, which a broker refuses.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.nobody: bytes = super().consumer_group_metadata()
        self.is_lost = False
        self.given: set[int] = set()
        self.told, self.holds = threading.Event(), threading.Event()

    def subscribe(self, *topics: Any, **calls: Any) -> None:
        assigned = calls["on_assign"]

        def on_assign(*given: Any) -> None:
            self.is_lost = False
            self.given = {slot.partition for slot in given[1]}
            assigned(*given)

        super().subscribe(*topics, **{**calls, "on_assign": on_assign})

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Once it is told to: having got a record of the last partition, it goes on until that is another one's."""
        found = super().consume(num_messages, timeout)
        if self.told.is_set() and any(not one.error() and one.partition() == LAST for one in found):
            self.told.clear()
            self.holds.set()
            until(lambda: self._lost_meanwhile(found), WAIT, "the partition to be another one's", every=0)
        return found

    def _lost_meanwhile(self, found: list[Message]) -> bool:
        found += super().consume(1, 0.1)
        return LAST not in self.given

    def consumer_group_metadata(self) -> bytes:
        said: bytes = super().consumer_group_metadata()
        return self.nobody if self.is_lost else said


class Held:
    """A worker of the counting stage whose handler stands still, once it is told to, until it may go on.

    With records of the last partition in hand, which it does not get where it shares the group with `other`.
    """

    def __init__(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.stage = place, counting(place)
        self.told, self.holds, self.go_on = threading.Event(), threading.Event(), threading.Event()
        made: list[Member] = []

        def member(config: dict[str, Any]) -> Consumer:
            if "client.id" not in config:  # one that asks for offsets alone
                return Consumer(config)
            made.append(Member(config))
            return made[-1]

        with monkeypatch.context() as patch:
            patch.setattr("streaming.faust.settings.Consumer", member)
            self.running = Running(make_app(replace(self.stage, handler=self._handle), settings(place, "held")))
            [self.member] = until(lambda: made, WAIT, "it to have a consumer")

    def _handle(self, batch: Batch[int]) -> None:
        if self.told.is_set() and batch.records[0].partition() == LAST:
            self.told.clear()
            self.holds.set()
            assert self.go_on.wait(2 * WAIT)
        self.stage.handler(batch)

    def put_out(self) -> None:
        """By an administrator. Its client hears of that with the next heartbeat; its handler does not."""
        before = self.member.consumer_group_metadata()
        admin = KafkaAdminClient(bootstrap_servers=[self.place.bootstrap])
        who = MemberToRemove(member_id=self.member.memberid())
        answers = admin.remove_group_members(self.place.prefix + "counting", [who])
        admin.close()
        assert list(answers.values()) == [NoError]
        until(lambda: self.member.consumer_group_metadata() != before, WAIT, "its client to hear of that")
        self.member.is_lost = True

    def stop(self) -> None:
        self.go_on.set()
        self.running.stop()
