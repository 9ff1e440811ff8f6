"""What is published in the place of a record that its topic does not take."""

from __future__ import annotations

from services.routing.ledger.outbox import Waiting
from streaming.memory import MemoryRecord
from streaming.run import TOO_LARGE, failed_record, rfc3339
from streaming.stage import Failure


def set_aside(record: Waiting, failed: str, now: float) -> Waiting:
    """`record` as a failed one, for the topic `failed`, in the same place of its lane. `now`: seconds since the epoch.

    It came from no offset: it says where it was to go, so that a replay sends it there.
    """
    topic, key, value, headers, chosen, _ = record.output
    number = -1 if chosen is None else chosen
    original = MemoryRecord(topic, number, record.sequence, key, value, tuple(headers), 0)
    detail = f"{topic} does not take a record of {len(value or b'')} bytes; raise its max.message.bytes, then replay it"
    output = failed_record(failed, Failure(original, TOO_LARGE, detail), rfc3339(now))
    return record._replace(output=output._replace(lane=record.lane))
