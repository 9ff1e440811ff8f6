"""Reads topics to their ends as they stand now: for commands that look, not for the path. `read_committed`.

Records are given one by one as they come, so that a topic may be larger than memory.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from baton.refusal import NO, Refusal
from streaming.client import KafkaAddress
from streaming.misnamed import sound
from streaming.stage import RecordError

_AT_ONCE = 200  # values may have a megabyte each
_WAIT = 0.1  # seconds; `consume` waits for as many records as it was asked for
_SILENCE = 10.0  # seconds without a word from the broker
_QUIET = {"log_level": 0}  # that no broker answers is said once, by the refusal

Spans = Mapping[tuple[str, int], tuple[int, int]]
"""By topic and partition the offsets to read: from the first on, up to but without the second."""


def read(address: KafkaAddress, topics: Iterable[str], partition: int | None = None) -> Iterator[Message]:
    """Every committed record of `topics` (of one partition only, where it is given), partition by partition in order.

    Topics that are not there are left out. Raises `Refusal` where the broker does not answer.
    """
    return read_spans(address, spans(address, topics, partition))


def spans(address: KafkaAddress, topics: Iterable[str], partition: int | None = None) -> Spans:
    """What there is to read now of `topics` (of one partition only, where it is given). Raises `Refusal`."""
    consumer = Consumer(address.librdkafka_config(group_id="baton-look") | _QUIET)
    try:
        slots = [slot for name in topics for slot in _slots(consumer, name, partition)]
        found = {slot: _span(consumer, *slot) for slot in slots}
    finally:
        consumer.close()
    return {slot: span for slot, span in found.items() if span[0] < span[1]}


def read_spans(address: KafkaAddress, wanted: Spans) -> Iterator[Message]:
    """Every committed record of some spans, partition by partition in order. Raises `Refusal`."""
    if not wanted:
        return
    consumer = Consumer(
        address.librdkafka_config(
            group_id=f"baton-look-{uuid.uuid4().hex[:8]}",  # demanded by librdkafka, never joined
            enable_auto_commit=False,
            isolation_level="read_committed",
            enable_partition_eof=True,
            auto_offset_reset="earliest",
            fetch_wait_max_ms=50,
        )
        | _QUIET
    )
    try:
        ends = {slot: end for slot, (_, end) in wanted.items()}
        consumer.assign([TopicPartition(*slot, start) for slot, (start, _) in wanted.items()])
        heard = time.monotonic()
        while ends:
            got = consumer.consume(_AT_ONCE, _WAIT)
            if got:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE:
                raise Refusal("the broker has stopped answering", "See `baton doctor`", NO)
            for message in got:
                error, slot = message.error(), (message.topic() or "", message.partition() or 0)
                if error is None:
                    end, at = ends.get(slot, 0), message.offset() or 0
                    if at < end:
                        yield message
                    if at + 1 >= end:
                        ends.pop(slot, None)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 its public name for it
                    ends.pop(slot, None)
                elif not error.retriable():
                    raise Refusal(f"cannot read: {error.str()}", "See `baton doctor`", NO)
    finally:
        consumer.close()


def raw_headers(message: Message) -> list[tuple[str, bytes | None]]:
    """A record's headers, in order; none where the client cannot give them."""
    try:
        found = sound(message).headers() or []
    except RecordError:
        return []
    pairs = found.items() if isinstance(found, dict) else found
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]


def partitions_of(address: KafkaAddress, topic: str) -> int:
    """Number of partitions of a topic; 0 where it is not there."""
    consumer = Consumer(address.librdkafka_config(group_id="baton-look") | _QUIET)
    try:
        return len(_slots(consumer, topic, None))
    finally:
        consumer.close()


def _span(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """First offset and end of a partition. A topic that was just made, or whose leader moves, is asked again."""
    deadline = time.monotonic() + _SILENCE
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SILENCE)
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise Refusal(f"{topic} cannot be read: {error.args[0].str()}", "See `baton doctor`", NO) from error
            time.sleep(_WAIT)


def _slots(consumer: Consumer, topic: str, partition: int | None) -> list[tuple[str, int]]:
    try:
        found = consumer.list_topics(topic, timeout=_SILENCE).topics[topic]
    except KafkaException as error:
        raise Refusal("no broker answers", "See `baton doctor`", NO) from error
    if found.error is not None:
        return []
    return [(topic, number) for number in sorted(found.partitions) if partition in (None, number)]
