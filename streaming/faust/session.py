"""One membership in the group: rounds, from joining to leaving."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException

from streaming import metrics
from streaming.breaker import MoreThanMayFail
from streaming.faust.assignment import Assignment, Partition
from streaming.faust.faults import (
    BreakerOpened,
    EngineBroken,
    Refused,
    SessionLost,
    TooLarge,
    Unsettled,
)
from streaming.faust.keeper import Keeper, Work
from streaming.faust.lag import Lag
from streaming.faust.left_out import LeftOut
from streaming.faust.pace import Pace
from streaming.faust.rest import Rest
from streaming.faust.settings import EngineSettings
from streaming.faust.status import Status
from streaming.faust.watchdog import Watchdog
from streaming.misnamed import sound
from streaming.stage import Fenced, Stage, TransientError

log = logging.getLogger(__name__)

BACKOFF_SECONDS, BACKOFF_LIMIT_SECONDS = 0.1, 10.0
SERVE_SECONDS = 0.05


class Session:
    """A consumer that is a member of the group, the keeper of the stage's state, and what is done a round.

    Raises out of `step`: SessionLost where a new session mends it, EngineBroken and others where none does.
    """

    def __init__(
        self, stage: Stage, settings: EngineSettings, keeper: Keeper, status: Status, watchdog: Watchdog
    ) -> None:
        self.stage, self.settings, self.keeper, self.status, self.watchdog = stage, settings, keeper, status, watchdog
        self.consumer: Consumer = settings.group_consumer()
        self.assignment = Assignment(self.consumer, stage.source, status.kept)
        status.kept = {}  # what this session does not get has nobody to hold it
        self.lag = Lag(stage.name, stage.source)
        self.left_out = LeftOut(settings, stage.failed)
        self.rest = Rest(settings.rest_seconds)
        self.pace = Pace(settings.pause_seconds)
        self.rounds = 0
        self._size = settings.max_records
        self._held_until = 0.0
        self._faults = 0

    def open(self) -> None:
        """Make ready to settle, then join."""
        self.keeper.open()
        self.assignment.join()

    def close(self) -> None:
        """Leave the group; partitions are kept with their state, for the next session of this process.

        Not by this one, which may outlive it: consumer and assignment hold each other, and garbage is rarely collected.
        """
        self.status.kept = self.assignment.parts
        self.lag.forget()
        try:
            with self.watchdog.limit("closing", self.settings.settle_timeout_seconds):
                self.keeper.abandon()
                with self.watchdog.limit("leaving the group", self.settings.exit_timeout_seconds):
                    if self.left_out.found:
                        self.assignment.drop()
                    else:
                        self.assignment.leave(lambda: self.watchdog.hurried)
                self.keeper.close()
        finally:
            self.assignment.parts = {}

    def step(self) -> None:
        """One round, or one step towards it. Blocks for `idle_seconds` at most where there is nothing to do."""
        moves, held = self.assignment.moves, self._held()
        waiting = self.assignment.waiting()
        if held or not self.assignment.is_member:
            patience = SERVE_SECONDS
        else:
            patience = 0.0 if waiting else self.settings.idle_seconds
        records, started = self._take(self.rest.patience(patience))
        self.lag.tell(self.assignment)
        if self.assignment.moves != moves:  # read before the rebalance: fetched again where they are still ours
            self.keeper.abandon()
            self.rest.wake()
            self._faults = 0
            self.status.goes_on()
            return
        if self.assignment.waiting() != waiting:  # an offset is out of range: all are asked for anew where they go on
            return
        self.status.look(self.assignment)
        self.left_out.look(self.assignment)
        if not self.assignment.is_member or held:
            if records:  # they would be passed over: nothing ought to be fetched now
                self._look_again()
            return
        if waiting or records:
            self.rest.wake()
        if waiting:
            self._prepare(waiting)
        elif records:
            self._round(records, started)
        else:
            self.rest.look(self.assignment)
        self.keeper.tend(self.assignment)

    def _take(self, timeout: float) -> tuple[list[Any], float]:
        """Records, and when the first of them came (monotonic seconds)."""
        first = self._sift(self.consumer.consume(1, timeout))
        started = monotonic()
        if first and self._size > 1:
            linger = max(self.settings.linger_seconds, self.pace.left(started))
            first += self._sift(self.consumer.consume(self._size - 1, linger))
        return first, started

    def _sift(self, messages: Sequence[Any]) -> list[Any]:
        records = [sound(message) for message in messages if message.error() is None]
        if len(records) < len(messages):
            for message in messages:
                if (error := message.error()) is not None:
                    self._hear(error, message)
        return records

    def _hear(self, error: KafkaError, message: Any) -> None:
        """Something that the consumer says in place of a record."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 confluent-kafka's name for it
            self.lag.at_end(message.partition(), message.offset())
            self.rest.at_end(message.partition())
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            log.error("%s: %s", self.stage.name, error)
            self._look_again()
        elif error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 which does not call itself fatal
            raise EngineBroken(f"the group refuses this worker: {error}")
        elif error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise EngineBroken(f"there is no topic {self.stage.source}. Create it")
        else:
            log.warning("%s: %s", self.stage.name, error)

    def _look_again(self) -> None:
        """Ask anew where every partition goes on."""
        for part in self.assignment.parts.values():
            part.running = False
        self.keeper.abandon()
        self.assignment.hold()

    def _held(self) -> bool:
        self.status.heed()
        breaker, now = self.status.breaker, monotonic()
        return now < self._held_until or not breaker.may_try(now)

    def _hold(self, why: str) -> None:
        """Take nothing for a while, longer each time, and stay a member."""
        seconds = min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2**self._faults)
        self._faults = min(self._faults + 1, 20)
        self._held_until = monotonic() + seconds
        self.status.waits(why)
        log.warning("%s: %s; again in %.1f s", self.stage.name, why, seconds)

    def _prepare(self, waiting: Sequence[Partition]) -> None:
        try:
            ready = self.keeper.prepare(self.assignment, waiting)
        except (TransientError, KafkaException) as error:
            if isinstance(error, KafkaException) and error.args[0].fatal():
                raise SessionLost(str(error.args[0])) from error
            self.keeper.abandon()
            self.keeper.renew()
            return self._hold(f"cannot prepare: {error}")
        except (Unsettled, Refused) as why:
            self.keeper.abandon()
            return self._hold(str(why))
        if ready:
            for part in waiting:
                part.running = True
                log.info("%s-%d goes on at %d", self.stage.source, part.number, part.next)
            self.assignment.fetch()
            self.status.goes_on()
            self.status.look(self.assignment)
        return None

    def _round(self, records: Sequence[Any], started: float) -> None:
        work = self._by_partition(records)
        now, began = time.time(), monotonic()
        try:
            with self.watchdog.limit("a round", self.settings.settle_timeout_seconds + 30):
                self.keeper.settle(work, self.assignment, now, self._check)
            self._count(work, started)
        except TooLarge as error:
            self._shrink(work, now, str(error))
        except MoreThanMayFail as why:
            self._halve(work, str(why))
        except BreakerOpened:
            self._stopped(work)
        except Fenced as why:
            log.warning("%s: overtaken: %s", self.stage.name, why)
            self._look_again()
        except TransientError as error:
            self._size = max(1, self._size // 2)  # it may be more than a store takes before it gives up
            self._look_again()
            self._hold(str(error))
        except Refused as why:
            self._refused(str(why))
        else:
            self._faults = 0
            self.pace.ended(began, monotonic())
            self._size = min(self.settings.max_records, self._size * 2)

    def _by_partition(self, records: Sequence[Any]) -> list[Work]:
        taken: dict[int, list[Any]] = {}
        for record in records:
            number = record.partition()
            if number in taken:
                taken[number].append(record)
            else:
                taken[number] = [record]
        for number, of_one in taken.items():
            part = self.assignment.parts.get(number)
            if part is None or not part.running or of_one[0].offset() < part.next:
                raise EngineBroken(f"{self.stage.source}-{number} at {of_one[0].offset()}: not what was asked for")
        return [Work(self.assignment.parts[number], taken[number]) for number in sorted(taken)]

    def _check(self, failed: Sequence[bool]) -> None:
        breaker = self.status.breaker
        if why := breaker.would_open(failed):
            if breaker.passes_in_part(failed):
                raise MoreThanMayFail(f"more fails than may yet (let pass: {breaker.allowance}): {why}")
            breaker.note(failed, monotonic())
            raise BreakerOpened(breaker.reason)

    def _shrink(self, work: Sequence[Work], now: float, why: str) -> None:
        """Look for the record that leads to one too large, by ever smaller rounds."""
        records = sum(len(one.records) for one in work)
        if records > 1:
            return self._halve(work, f"{why}; looking for the record")
        try:
            self.keeper.blame(work[0], self.assignment, now, self._check, why)
        except BreakerOpened:
            return self._stopped(work)
        except Refused as reason:
            return self._refused(str(reason))
        return self._count(work, monotonic())

    def _halve(self, work: Sequence[Work], why: str) -> None:
        """The same again in a smaller round."""
        self._size = max(1, sum(len(one.records) for one in work) // 2)
        log.warning("%s: %s; goes on in rounds of %d", self.stage.name, why, self._size)
        self.assignment.fetch()

    def _stopped(self, work: Sequence[Work]) -> None:
        failures = (failure for one in work if one.result is not None for failure in one.result.failures)
        self.status.stopped(Counter(failure.reason for failure in failures))
        self.status.look(self.assignment)
        self._look_again()

    def _refused(self, why: str) -> None:
        """A rebalance may be the reason: serve the group before anything is fetched again."""
        moves = self.assignment.moves
        self.assignment.hold()
        self._sift(self.consumer.consume(1, 4 * SERVE_SECONDS))
        if self.assignment.moves == moves and self.assignment.is_member:
            self._size = max(1, self._size // 2)  # it may be more than a slow broker takes before it times out
            self._look_again()
            self._hold(f"round refused: {why}")
        else:
            log.warning("%s: round refused: %s", self.stage.name, why)

    def _count(self, done: Sequence[Work], started: float) -> None:
        if not self.status.breaker.note([flag for one in done for flag in one.flags()], monotonic()):
            self._stopped(done)  # `_check` has seen the same; should they ever differ, nothing is fetched past this
        for one in done:
            if one.result is None:
                continue
            reasons = Counter(failure.reason for failure in one.result.failures)
            metrics.count_batch(self.stage.name, one.result.outcomes, reasons)
            self.lag.settled(one.part.number, one.records[-1])
        self.rounds += 1
        metrics.BATCH_SECONDS.labels(self.stage.name).observe(monotonic() - started)
