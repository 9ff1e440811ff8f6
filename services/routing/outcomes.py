"""`sales.outcomes`: what sales says became of a lead, taken into the ledger once each.

A quiet topic: records come one at a time, and each is one transaction with its source position, so a record that is
handed over twice changes nothing. A malformed one goes to `routing.failed` by way of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from traceback import format_exception

from schemas.headers import rfc3339
from schemas.topics import SALES_OUTCOMES, failed
from services.routing.calendars import instant
from services.routing.ledger import Ledger, Unit
from services.routing.ledger.answers import Desk
from services.routing.plan import Plan
from services.routing.reading import sales_outcome
from streaming import metrics
from streaming.run import FAILED, HANDLER_ERROR, failed_record
from streaming.stage import Failure, Fenced, Message, Move, RecordError, TransientError

NAME = "outcomes"
STAGE = "routing"
DUPLICATE = "duplicate"


class Outcomes:
    """Takes records of `sales.outcomes`. `clock` gives seconds since the epoch."""

    def __init__(self, ledger: Ledger, plan: Plan, prefix: str = "", clock: Callable[[], float] = time) -> None:
        self.ledger, self.plan, self.prefix, self.clock = ledger, plan, prefix, clock
        self.source, self.failed = prefix + SALES_OUTCOMES, prefix + failed(STAGE)

    def take(self, message: Message) -> str:
        """Take one record; gives what came of it (`applied`, `recorded`, `duplicate`, `unmatched`, `failed`).

        Raises `TransientError` for faults that pass: hand the record over again.
        """
        topic, partition, offset, now = message.topic(), message.partition(), message.offset(), self.clock()
        known = self.ledger.position(topic, partition)
        if known is not None and known > offset:
            return self._take_again(message, now)
        try:
            with self.ledger.round(topic, [Move(partition, offset if known is None else known, offset + 1)]) as unit:
                heard = self._heard(unit, message, now)
                if isinstance(heard, str):
                    return heard
                unit.publish([failed_record(self.failed, heard, rfc3339(instant(now)))])
        except Fenced:
            return DUPLICATE  # another worker has taken it meanwhile
        # Among the failed of routing, for in `routing.failed` they stand. Their outcomes are counted under `outcomes`:
        # those of routing sum to the records of `leads.scored`.
        metrics.FAILED.labels(STAGE, heard.reason).inc()
        return FAILED

    def _take_again(self, message: Message, now: float) -> str:
        """Take a record that lies before the position: a second time, or in a topic that was made anew or lost its end.

        The outcome's own id tells the two apart. One that cannot be read was put into `routing.failed` the first time,
        as far as anybody can tell; one at which something else went wrong goes there again, under the same id.
        """
        with self.ledger.unit() as unit:
            heard = self._heard(unit, message, now)
            if isinstance(heard, str):
                return heard
            if heard.reason == HANDLER_ERROR:
                unit.publish([failed_record(self.failed, heard, rfc3339(instant(now)))])
        return DUPLICATE

    def _heard(self, unit: Unit, message: Message, now: float) -> str | Failure:
        """What came of a record, or why nothing did; then nothing of it is written."""
        try:
            with unit.savepoint():
                return self._hear(unit, message, now)
        except (TransientError, Fenced):
            raise
        except RecordError as exc:
            return Failure(message, exc.reason, exc.detail)
        except Exception as exc:  # noqa: BLE001 it concerns this record, and must not hold up those behind it
            trace = "".join(format_exception(exc))
            return Failure(message, HANDLER_ERROR, f"{type(exc).__name__} while it was taken", trace)

    def _hear(self, unit: Unit, message: Message, now: float) -> str:
        value, (_, stamped) = message.value(), message.timestamp()
        came = min(now, stamped / 1000) if stamped > 0 else now  # a record's clock may be ahead as well
        outcome = sales_outcome(value, instant(came))
        return Desk(unit, self.plan, self.prefix, now).hear(outcome, value or b"")
