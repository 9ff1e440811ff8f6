"""The partitions that are ours, and the membership that says so. Eager protocol; all of it runs inside `consume()`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from time import monotonic

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streaming.faust.settings import slot
from streaming.faust.table import Table

log = logging.getLogger(__name__)

UNKNOWN = -1
QUIET_SECONDS, LEAVE_SECONDS = 0.05, 5.0
"""For how long the group must call nothing before a member may close, and how long that is waited for at most."""


class Partition:
    """A source partition. `state` is what the changelog holds for all source offsets before `next`.

    `position` is how far the changelog was read when the state was restored; our own writes come on top of that.
    """

    __slots__ = ("next", "number", "position", "running", "state")

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = Table()
        self.position = 0
        self.next = UNKNOWN
        self.running = False

    def forget(self) -> None:
        """Start over: nothing is known of the state."""
        self.state, self.position, self.next = Table(), 0, UNKNOWN


class Assignment:
    """Which partitions of `topic` a member of the group has.

    A transaction that carries the group metadata of a consumer that is no member (generation -1) is accepted by the
    broker even while the group has live members, and librdkafka falls back to that when membership is lost. So the
    metadata is taken once, when partitions are assigned, and a round is settled with that alone.
    """

    def __init__(self, consumer: Consumer, topic: str, kept: dict[int, Partition]) -> None:
        """`kept`: partitions that an earlier session of this process had, with their state."""
        self.consumer, self.topic = consumer, topic
        self.parts = kept
        self.nobody = self.member = consumer.consumer_group_metadata()
        self.moves = 0
        self.since = monotonic()
        for part in kept.values():
            part.running = False

    def join(self) -> None:
        """Become a member; what follows happens inside `consume()`."""
        self.consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def leave(self, hurried: Callable[[], bool]) -> None:
        """Serve what the group has called meanwhile, then leave it and close the consumer.

        A call that `close()` finds still waiting makes librdkafka hang for ever (its issue 4884): the thread that it
        asks to take the partitions away has ended. A worker that was put out of the group while busy has such a call.
        Once it is `hurried`, for the process is to end, a consumer that does not close is given up: all is settled, and
        one that has lost the group's coordinator never closes.
        """
        try:
            self.consumer.unsubscribe()
            moves, deadline = -1, monotonic() + LEAVE_SECONDS
            while (self.is_member or moves != self.moves) and monotonic() < deadline:
                moves = self.moves
                self.consumer.consume(1, QUIET_SECONDS)
        except KafkaException as error:  # as where the group has put it out for good: there is nothing to serve
            log.info("%s: a consumer that leaves is not served any more: %s", self.topic, error.args[0])
        closing = self._closing("a consumer that leaves")
        while closing.is_alive():
            if hurried():
                log.warning("%s: the group did not let the worker go in time: it goes all the same", self.topic)
                return
            closing.join(QUIET_SECONDS)

    def drop(self) -> None:
        """Give up a consumer that would hang as it is closed: not waited for, and it moves nothing here any more."""
        self.parts = {}
        self._closing("a consumer left outside")

    def _closing(self, name: str) -> threading.Thread:
        thread = threading.Thread(target=self.consumer.close, name=name, daemon=True)
        thread.start()
        return thread

    @property
    def is_member(self) -> bool:
        """Whether the group has given this worker its share, which may be none."""
        return bool(self.member != self.nobody)

    def waiting(self) -> list[Partition]:
        """Partitions that are ours and not running yet."""
        return [part for part in self.parts.values() if not part.running] if self.is_member else []

    def running(self) -> int:
        """How many partitions are being worked on."""
        return sum(part.running for part in self.parts.values())

    def fetch(self) -> None:
        """Fetch the running partitions, from where their state is."""
        self.consumer.assign([slot(self.topic, p.number, p.next) for p in self.parts.values() if p.running])

    def hold(self) -> None:
        """Fetch nothing, and stay a member."""
        self.consumer.assign([])

    def _revoked(self, consumer: Consumer, _: Iterable[TopicPartition]) -> None:
        self.moves += 1
        self.member = self.nobody
        for part in self.parts.values():
            part.running = False
        consumer.unassign()

    def _assigned(self, consumer: Consumer, given: Iterable[TopicPartition]) -> None:
        self._revoked(consumer, ())
        member = consumer.consumer_group_metadata()
        consumer.assign([])  # partitions are added as they become ready
        if member == self.nobody:  # lost again meanwhile: the group calls anew
            return
        self.member, self.since = member, monotonic()
        numbers = sorted(tp.partition for tp in given)
        self.parts = {number: self.parts.get(number) or Partition(number) for number in numbers}
        log.info("%s: assigned partitions %s", self.topic, numbers)
