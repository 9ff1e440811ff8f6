"""`sales.outcomes`: what sales says became of a lead, taken into the ledger once each.

A quiet topic: records come one at a time, and each is one transaction with its source position, so a record that is
handed over twice changes nothing. A malformed one goes to `routing.failed` by way of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

from schemas.headers import rfc3339
from schemas.topics import SALES_OUTCOMES, failed
from services.routing.calendars import instant
from services.routing.ledger import Ledger
from services.routing.ledger.answers import Desk
from services.routing.plan import Plan
from services.routing.reading import sales_outcome
from streaming.run import failed_record
from streaming.stage import Failure, Fenced, Message, RecordError

NAME = "outcomes"
DUPLICATE = "duplicate"


class Outcomes:
    """Takes records of `sales.outcomes`. `clock` gives seconds since the epoch."""

    def __init__(self, ledger: Ledger, plan: Plan, prefix: str = "", clock: Callable[[], float] = time) -> None:
        self.ledger, self.plan, self.prefix, self.clock = ledger, plan, prefix, clock
        self.source, self.failed = prefix + SALES_OUTCOMES, prefix + failed("routing")

    def take(self, message: Message) -> str:
        """Take one record; gives what came of it (`applied`, `recorded`, `duplicate`, `unmatched`, `failed`).

        Raises `TransientError` for faults that pass: hand the record over again.
        """
        topic, partition, offset, now = message.topic(), message.partition(), message.offset(), self.clock()
        known = self.ledger.position(topic, partition)
        if known is not None and known > offset:
            return DUPLICATE
        try:
            with self.ledger.round(topic, partition, offset if known is None else known, offset + 1) as unit:
                try:
                    outcome = sales_outcome(message.value())
                except RecordError as exc:
                    failure = Failure(message, exc.reason, exc.detail)
                    unit.publish([failed_record(self.failed, failure, rfc3339(instant(now)))])
                    return "failed"
                return Desk(unit, self.plan, self.prefix, now).hear(outcome, message.value() or b"")
        except Fenced:
            return DUPLICATE  # another worker has taken it meanwhile
