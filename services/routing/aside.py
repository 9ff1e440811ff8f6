"""What is published in the place of a record that its topic does not take: its lane goes on, and nothing is lost.

That is the whole record, for the failed topic. Where that one does not take it either, a note of it is published there,
and the ledger keeps the record; `baton failed` reads it from there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.headers import REPLAY_OF
from services.routing.ledger import Ledger, kept
from services.routing.ledger.faults import told_apart
from services.routing.ledger.outbox import Part, Waiting
from services.routing.outgoing import PublisherLost, TooLargeForKafka
from streaming import metrics
from streaming.memory import MemoryRecord
from streaming.run import DETAIL, FAILED_HEADERS, KEPT, SET_ASIDE, TOO_LARGE, TRACE, failed_record, rfc3339
from streaming.stage import Failure

log = logging.getLogger(__name__)

STAGE = "routing"
NOTED = FAILED_HEADERS - {TRACE} | {REPLAY_OF}
"""Headers of a note. Any other may be what made the record too large, and a trace is long; the ledger has them all."""
NOTE_BYTES = 1_000
"""A key or a header that is longer stands in the ledger alone; but the detail, which has 2,000 characters at most."""


class Aside:
    """The record that was found to be too large, one at a time, and how it goes out. For one thread."""

    def __init__(self, ledger: Ledger, failed: str) -> None:
        """`failed`: the topic to which it goes."""
        self._ledger, self._failed = ledger, failed
        self._id: int | None = None
        self._as_note = False

    def apart(self, part: Part) -> Part:
        """`part` up to the record, or where that is the first, it alone.

        What is refused then is refused for it, and what it was set aside between is before or after it in time.
        """
        at = None if self._id is None else next((n for n, one in enumerate(part.records) if one.id == self._id), None)
        if at is None:
            self._id = None  # published, whatever was answered; ids of a ledger that was restored may come again
            return part
        upto = at or 1
        return Part(part.records[:upto], part.cut or upto < len(part.records))

    def stand_in(self, record: Waiting, now: float) -> Waiting:
        """What is to be published in the place of `record`, `now` (seconds since the epoch). Raises TransientError.

        Before a note goes out the ledger has committed what it is a note of.
        """
        if record.id != self._id:
            return record
        whole = set_aside(record, self._failed, now)
        if not self._as_note:
            return whole
        with told_apart(), self._ledger.engine.begin() as keeping:
            name = kept.keep(keeping, record.id)
        return note(whole, name)

    def refused(self, record: Waiting, why: TooLargeForKafka) -> None:
        """`record`, or what stood in for it, was too large alone: next time it goes out in another way.

        Raises PublisherLost where there is none.
        """
        if record.id != self._id:
            self._id, self._as_note = record.id, record.output.topic == self._failed
        elif not self._as_note:
            self._as_note = True
        else:
            mend = f"raise max.message.bytes of {self._failed} and of routing.state"
            raise PublisherLost(f"not even a note of a record that is too large was taken ({why}): {mend}") from why

    def published(self, records: Sequence[Waiting]) -> None:
        """`records` were, or what stood in for them."""
        for one in records:
            if one.id == self._id:
                how = "a note of it is there, and the ledger keeps it" if self._as_note else "it is there"
                log.error("a record for %s was too large and goes to %s: %s", one.output.topic, self._failed, how)
                if one.output.topic != self._failed:  # that one was counted when it failed
                    metrics.FAILED.labels(STAGE, TOO_LARGE).inc()
                self._id = None


def set_aside(record: Waiting, failed: str, now: float) -> Waiting:
    """`record` as a failed one, for the topic `failed`, in the same place of its lane. `now`: seconds since the epoch.

    It came from no offset: it says where it was to go, so that a replay sends it there. One that is a failed record
    already stays as it is, for its reason and whence it came must not be lost.
    """
    if record.output.topic == failed:
        return record
    topic, key, value, headers, chosen, _ = record.output
    number = -1 if chosen is None else chosen
    original = MemoryRecord(topic, number, -1, key, value, tuple(headers), 0)
    detail = f"{topic} does not take a record of {len(value or b'')} bytes; raise its max.message.bytes, then replay it"
    output = failed_record(failed, Failure(original, TOO_LARGE, detail), rfc3339(now))
    place = (SET_ASIDE, f"{record.lane}-{record.sequence}".encode())
    return record._replace(output=output._replace(lane=record.lane, headers=[*output.headers, place]))


def note(whole: Waiting, name: str) -> Waiting:
    """`whole`, a failed record, without what may be large. `name`: of the record that the ledger keeps."""
    topic, key, value, headers, _, _ = whole.output
    more = f"; {topic} does not take its {len(value or b'')} bytes: the ledger keeps it, show and replay read it there"
    said = [
        (header, (given or b"") + more.encode() if header == DETAIL else given)
        for header, given in headers
        if header in NOTED and (header == DETAIL or len(given or b"") <= NOTE_BYTES)
    ]
    short = None if key is None or len(key) > NOTE_BYTES else key
    output = whole.output._replace(key=short, value=None, headers=[*said, (KEPT, name.encode())])
    return whole._replace(output=output)
