"""What is published in the place of a record that its topic does not take."""

from __future__ import annotations

from schemas.headers import SET_ASIDE
from services.routing.ledger.outbox import Waiting
from streaming.memory import MemoryRecord
from streaming.run import TOO_LARGE, failed_record, rfc3339
from streaming.stage import Failure


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
