"""When a producer counts as silent: it had to deliver, and for long enough it has not."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from streaming.silence import Silence

TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)
REFUSED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
PURGED = KafkaError(KafkaError._PURGE_QUEUE)


def test_it_lasts_from_the_first_record_that_was_missed_to_the_last_one() -> None:
    silence = Silence(10)
    told = [silence.too_long]
    for now in (100, 110, 110.1):
        silence.note(TIMED_OUT, now)
        told.append(silence.too_long)

    assert told == [False, False, False, True]


def test_no_report_at_all_is_as_bad() -> None:
    silence = Silence(10)
    silence.missed(100)
    silence.missed(111)

    assert silence.too_long


@pytest.mark.parametrize(("heard", "too_long"), [(None, False), (REFUSED, False), (PURGED, True)])
def test_a_delivery_ends_it_and_so_does_a_refusal_of_the_brokers(heard: KafkaError | None, too_long: bool) -> None:
    silence = Silence(10)
    silence.note(TIMED_OUT, 100)
    silence.note(heard, 105)
    silence.note(TIMED_OUT, 111)

    assert silence.too_long is too_long
