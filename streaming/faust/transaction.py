"""State in Kafka: outputs, changelog and source offsets of a round are one transaction (KIP-447).

The order is the proof. Before a partition runs: (1) the membership of this generation was taken; a former generation's
transaction is refused from then on. (2) its committed offset is stable: no transaction of a former owner is open on it.
(3) the changelog is read to its end, and says how far its state goes (`marks`): a group's offset before that is not
believed. So a partition that stays ours over a rebalance keeps its state if and only if nobody has moved on. Handlers
run before the transaction opens, and none is open while the group is served, so a rebalance has nothing to finish.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any

from confluent_kafka import TopicPartition

from streaming.faust.assignment import UNKNOWN, Assignment, Partition
from streaming.faust.cluster import topic_id
from streaming.faust.faults import EngineBroken, OffsetsGone, TooLarge, Unsettled
from streaming.faust.keeper import Check, Work
from streaming.faust.local_state import LocalState
from streaming.faust.marks import Mark
from streaming.faust.offsets import Committed, ends, said_offsets, start_of, unstable
from streaming.faust.owners import FormerOwners
from streaming.faust.producer import Transaction, TransactionalProducer
from streaming.faust.restore import Restore
from streaming.faust.settings import EngineSettings
from streaming.faust.start import Looking, Start, demand
from streaming.faust.watchdog import Watchdog
from streaming.run import TOO_LARGE, Result, failed_record, rfc3339, run
from streaming.stage import Failure, Stage

log = logging.getLogger(__name__)

STEP_SECONDS, LOOK_SECONDS = 0.05, 0.5
BROKER_LOOKS_SECONDS = 15.0
"""A broker looks every 10 s for transactions that are past their timeout; then it aborts them."""
HANGS = (
    "no transaction may last that long: one hangs in the broker, or is a stranger's. "
    "docs/operating.md, 'A transaction that hangs', says what helps"
)


class KafkaKeeper:
    """Keeps one stage's state and offsets in Kafka."""

    def __init__(self, stage: Stage, settings: EngineSettings, watchdog: Watchdog, former: FormerOwners) -> None:
        """`former` outlives the sessions: it knows who was robbed when."""
        self.stage, self.settings, self.watchdog = stage, settings, watchdog
        self.asker = settings.offset_reader("read_uncommitted")
        self.producer = TransactionalProducer(settings, settings.transactional_id, watchdog)
        self._offsets: dict[int, int] = {}
        self._source_id = ""
        self._restore: Restore | None = None
        self._look_due = 0.0
        self._unsettled: float | None = None  # since when (monotonic)
        self._leaving = False
        self._open_for = 0.0  # the assignment's `since`, in which it is known that offsets stay open
        self._renewed_for = 0.0  # the assignment's `since`: once for each is enough
        self._former = former
        self._local: LocalState | None = None
        if stage.changelog is not None and stage.codec is not None and settings.local_state_seconds > 0:
            self._local = LocalState(settings, stage.changelog, stage.codec)

    def open(self) -> None:
        """Take the transactional id: what a former life of this worker left open is aborted."""
        self.producer.open()

    def close(self) -> None:
        """Give reader and producer up."""
        self.abandon()
        self.producer.close()
        self.asker.close()
        if self._local is not None:
            self._local.close(self.settings.exit_timeout_seconds / 2 if self._leaving else 0.0)

    def abandon(self) -> None:
        """The assignment changed: stop reading for the old one."""
        self._former.forget()
        if self._local is not None:
            self._local.abandon()
        if self._restore is not None:
            self._restore.close()
            self._restore = None

    def prepare(self, assignment: Assignment, waiting: Sequence[Partition]) -> bool:
        """Stable committed offsets first, then state; see the top of this page."""
        try:
            if self._restore is None:
                if self._local is not None and self._local.load_next(waiting):
                    return False
                self._restore = self._begin(assignment, waiting)
            read = self._restore.records
            self._restore.step(STEP_SECONDS)
            if self._restore.done or self._restore.records > read:
                self._unsettled = None
            if not self._restore.done and self._restore.waited > self.settings.fence_after_seconds:
                raise Unsettled("the changelog's end is an open transaction")  # noqa: TRY301 the same mend as below
        except Unsettled as why:
            self._wait_for_former_owner(assignment, waiting, why)
            return False
        if not self._restore.done:
            return False
        for part in waiting:
            part.next = self._offsets[part.number]
        rests = sum(part.state.on_file for part in waiting)
        if self._restore.records or rests:
            seconds = monotonic() - assignment.since
            on = f", {rests} partitions on state of this machine" if rests else ""
            log.info("%s: restored %d records in %.2f s%s", self.stage.name, self._restore.records, seconds, on)
        self.abandon()
        return True

    def renew(self) -> None:
        """Ask the cluster by a new client."""
        old, self.asker = self.asker, self.settings.offset_reader("read_uncommitted")
        old.close()

    def tend(self, assignment: Assignment, *, leaving: bool = False) -> None:
        """Write state to this machine's disk where that is due, or before the worker leaves.

        After a round, not before the next one that somebody waits for, a producer in doubt is followed by a new one.
        """
        if assignment.running() and not leaving:
            self.producer.renew_in_doubt()
        if self._local is None:
            return
        self._leaving = leaving
        tend = self._local.begin if leaving else self._local.tend
        tend(self.asker, assignment, lambda parts: self._prove(parts, assignment))

    def settle(self, work: Sequence[Work], assignment: Assignment, now: float, check: Check) -> None:
        """Handlers, then one transaction; state moves once it is committed."""
        for one in work:
            one.result = run(self.stage, one.records, one.part.state.view(), now=now)
        check([flag for one in work for flag in one.flags()])
        self._commit(work, assignment)

    def blame(self, work: Work, assignment: Assignment, now: float, check: Check, detail: str) -> None:
        """Publish the record itself as failed, with fewer headers if it has to be."""
        failure = Failure(work.records[0], TOO_LARGE, detail)
        for shortened in (failure, failure._replace(detail="")):
            record = failed_record(self.stage.failed, shortened, rfc3339(now))
            work.result = Result([record], {}, [failure], {"failed": 1})
            check(work.flags())
            try:
                return self._commit([work], assignment)
            except TooLarge as error:
                why = error
        raise EngineBroken(
            f"{self.stage.failed} does not take record {work.records[0].offset()} of {self.stage.source}-"
            f"{work.part.number}, which fits into its source ({why}). Raise max.message.bytes of {self.stage.failed}"
        )

    def _commit(self, work: Sequence[Work], assignment: Assignment) -> None:
        if not assignment.is_member:  # a transaction sent with nobody's metadata would not be fenced
            raise AssertionError("a round without membership")
        with self.producer.transaction() as transaction:
            for one in work:
                if one.result is not None:
                    transaction.publish(one.result.outputs, one.part.number)
                    self._write(transaction, one.part.number, one.result.writes, one.end)
            transaction.commit([self._place(one.part.number, one.end) for one in work], assignment.member)
        for one in work:
            one.part.next = one.end
            if one.result is not None:
                one.part.state.take(one.result.writes)

    def _begin(self, assignment: Assignment, waiting: Sequence[Partition]) -> Restore:
        numbers = [part.number for part in waiting]
        if assignment.since != self._renewed_for:
            self.producer.renew_if_silent()
            self._renewed_for = assignment.since
        # It may have been made anew while nothing was fetched.
        self._source_id = topic_id(self.settings, self.stage.source)
        start = self._look(assignment, numbers)
        demand(self.stage, start, waiting)
        self._former.abort_the_dead(start.owners())
        around = ends(self.asker, self.stage.source, numbers)
        self._offsets = {n: start_of(self.stage.source, n, start.offset(n), around[n]) for n in numbers}
        ours = {n: Committed(self._offsets[n], self.settings.transactional_id) for n in numbers}
        self._claim([n for n in numbers if start.committed[n] != ours[n]], assignment)
        self._mark(sorted(start.unmarked | start.open), assignment)  # of the latter whoever follows asks the mark
        stale = [part for part in waiting if part.next != self._offsets[part.number]]
        for part in stale:
            if part.next != UNKNOWN:  # somebody else went on meanwhile, or it is not known how a round of ours ended
                part.forget()
                if self._local is not None:
                    self._local.load(part)
        if self.stage.changelog is None or self.stage.codec is None:
            return Restore(self.settings, "", bytes, [], {})
        changelog = ends(self.asker, self.stage.changelog, [part.number for part in stale])
        return Restore(self.settings, self.stage.changelog, self.stage.codec.loads, stale, changelog)

    def _look(self, assignment: Assignment, numbers: Sequence[int]) -> Start:
        """Where the partitions go on.

        Where some stay open for longer than any transaction may last: by their marks, which are read once the names of
        former owners were taken. What one of these sends from now on is refused, since the generation is ours; what it
        had sent was ended by the broker, or when its name was taken. So what is still open then is nobody's any more.
        """
        looking = Looking(self.stage, self.settings, self._source_id)
        if not self._waited_long(assignment) and self._open_for != assignment.since:
            return looking.look(self.asker, assignment.consumer, numbers)
        start = looking.look_past(self.asker, assignment.consumer, numbers)
        if start.open and self._open_for != assignment.since:
            log.error("%s: offsets of %s stay open: on by the changelog's marks", self.stage.name, sorted(start.open))
            places = [self._place(n, max(0, start.committed[n].offset)) for n in sorted(start.open)]
            self._former.end_what_hangs(start.owners_of_open(), places, assignment.member)
            self.producer.send_in_vain(places, assignment.member)  # what hangs may be of our own name
            start = looking.look_past(self.asker, assignment.consumer, numbers)
            self._open_for = assignment.since
        return start

    def _waited_long(self, assignment: Assignment) -> bool:
        """Whether partitions have waited for longer than any transaction of a former owner may last."""
        if self._unsettled is None or self._unsettled < assignment.since:
            return False
        return monotonic() - self._unsettled > self.settings.transaction_timeout_seconds + BROKER_LOOKS_SECONDS

    def _claim(self, numbers: Sequence[int], assignment: Assignment) -> None:
        """Write our name to partitions that we go on with: should we die in our first round, it says whose that was."""
        if numbers:
            with self.producer.transaction() as transaction:
                transaction.commit([self._place(n, self._offsets[n]) for n in numbers], assignment.member)

    def _mark(self, numbers: Sequence[int], assignment: Assignment) -> None:
        """Begin the changelog of partitions that have been claimed.

        Not in the claim's own transaction: were it aborted, the changelog would have begun and there be no offset.
        """
        if not numbers or self.stage.changelog is None:
            return
        with self.producer.transaction() as transaction:
            for number in numbers:
                self._write(transaction, number, {}, self._offsets[number])
            transaction.commit([self._place(n, self._offsets[n]) for n in numbers], assignment.member)

    def _write(self, transaction: Transaction, number: int, writes: dict[bytes, Any], end: int) -> None:
        """State and position, in that order."""
        if self.stage.changelog is not None:
            dumps = bytes if self.stage.codec is None else self.stage.codec.dumps
            mark = Mark(self._source_id, end, self.settings.transactional_id).to_bytes()
            transaction.write(self.stage.changelog, number, writes, dumps, mark)

    def _prove(self, parts: Sequence[Partition], assignment: Assignment) -> None:
        """Commit what is committed already: the broker takes it from the owner of the partitions alone."""
        with self.producer.transaction() as transaction:
            transaction.commit([self._place(part.number, part.next) for part in parts], assignment.member)

    def _place(self, number: int, offset: int) -> TopicPartition:
        return TopicPartition(self.stage.source, number, offset, self.settings.transactional_id)

    def _wait_for_former_owner(self, assignment: Assignment, waiting: Sequence[Partition], why: Unsettled) -> None:
        """Something is open: a dead worker's is aborted at once, another one's if it takes too long."""
        now = monotonic()
        if now < self._look_due:
            return
        if self._unsettled is None or self._unsettled < assignment.since:
            self._unsettled = now
        self._look_due, waited = now + LOOK_SECONDS, now - self._unsettled
        numbers = [part.number for part in waiting]
        gone = isinstance(why, OffsetsGone)
        words = str(why) if gone else f"offsets or changelog of partitions {numbers} are not stable ({why}): {HANGS}"
        if waited > self.settings.settle_timeout_seconds:
            raise EngineBroken(words)
        if gone or self._waited_long(assignment):
            raise Unsettled(words)
        said = {number: one.owner for number, one in said_offsets(self.asker, self.stage.source, numbers).items()}
        self._former.abort_the_dead(said.values())
        if waited > self.settings.fence_after_seconds:
            log.warning("%s: still waiting for a former owner (%s)", self.stage.name, why)
            in_changelog = self._restore is not None
            held_up = numbers if in_changelog else unstable(assignment.consumer, self.stage.source, numbers)
            self._former.abort_all(said[number] for number in held_up if number in said)
