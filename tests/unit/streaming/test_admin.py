"""Asking the brokers: which faults are waited out, and which are a no."""

import pytest
from kafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownBrokerIdError

from streaming.admin import KafkaRefused, patiently


def test_a_partition_without_a_leader_at_the_moment_is_asked_for_again() -> None:
    answers: list[KafkaError | int] = [UnknownBrokerIdError(-1), 7]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return answer

    assert patiently(ask, 10) == 7


def test_a_no_is_a_no() -> None:
    def ask() -> int:
        raise TopicAuthorizationFailedError("leads.events")

    with pytest.raises(KafkaRefused, match=r"leads\.events"):
        patiently(ask, 10)
