"""Reads for Faust what its own client cannot: a record with a header whose name is not UTF-8.

aiokafka raises at such a record, without a word of where it lies, and what it has taken in the same call is lost. So
the agents' consumer is put back to what is committed, and what follows is read by librdkafka and given as aiokafka
would. Records that were under way come twice; agents of quiet topics take that (see `quiet.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

from aiokafka.structs import ConsumerRecord
from confluent_kafka import KafkaError, KafkaException
from faust.types import TP

from streaming.faust.settings import EngineSettings, slot
from streaming.misnamed import Misnamed, sound

log = logging.getLogger(__name__)

AT_ONCE, STEP_SECONDS = 500, 0.1
WITHIN_SECONDS = 10.0
"""For all partitions together; what is not read by then is read the next time."""


def read(settings: EngineSettings, at: Mapping[TP, int]) -> dict[TP, list[ConsumerRecord[bytes, bytes]]]:
    """What lies in each partition from an offset on: all there is, or at least `AT_ONCE` records of one of them.

    Blocks for `WITHIN_SECONDS` at most. Raises KafkaException.
    """
    found: dict[TP, list[ConsumerRecord[bytes, bytes]]] = {}
    reader, open_parts, until = settings.changelog_reader(), set(at), monotonic() + WITHIN_SECONDS
    try:
        reader.assign([slot(part.topic, part.partition, offset) for part, offset in at.items()])
        while open_parts and monotonic() < until and all(len(of_one) < AT_ONCE for of_one in found.values()):
            for message in reader.consume(AT_ONCE, STEP_SECONDS):
                part, error = TP(message.topic() or "", message.partition() or 0), message.error()
                if error is None:
                    found.setdefault(part, []).append(_as_of_aiokafka(part, message))
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 its public name for it
                    open_parts.discard(part)
                else:
                    raise KafkaException(error)
    finally:
        reader.close()
    return found


def _as_of_aiokafka(part: TP, message: Any) -> ConsumerRecord[bytes, bytes]:
    """`message`, without its headers where they cannot be had."""
    key, value, headers = message.key(), message.value(), ()
    if isinstance(sound(message), Misnamed):
        log.warning("%s-%d at %d: a header's name is not UTF-8; taken without headers", *part, message.offset())
    else:
        headers = tuple(message.headers() or ())
    kind, at = message.timestamp()
    return ConsumerRecord(
        topic=part.topic,
        partition=part.partition,
        offset=message.offset(),
        timestamp=at,
        timestamp_type=kind - 1,  # librdkafka counts from 1, with 0 for none
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=-1 if key is None else len(key),
        serialized_value_size=-1 if value is None else len(value),
        headers=headers,
    )
