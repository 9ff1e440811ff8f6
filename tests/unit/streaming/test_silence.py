"""When a producer counts as silent: it had to deliver, and for long enough it has not."""

from __future__ import annotations

from confluent_kafka import KafkaError

from streaming.silence import Silence

TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)


def test_only_what_lasts_is_too_long() -> None:
    silence = Silence(10)
    quiet = silence.too_long(1e9)  # nothing was asked of it
    silence.note(TIMED_OUT, 100)
    silence.note(TIMED_OUT, 109)  # counted from the first

    assert (quiet, silence.too_long(110), silence.too_long(110.1)) == (False, False, True)


def test_a_delivery_ends_it() -> None:
    silence = Silence(10)
    silence.late(100)
    silence.note(None, 105)
    silence.note(TIMED_OUT, 112)

    assert (silence.too_long(122), silence.too_long(122.1)) == (False, True)


def test_a_refusal_is_an_answer_and_no_silence() -> None:
    silence = Silence(10)
    silence.note(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), 100)

    assert not silence.too_long(1e9)
