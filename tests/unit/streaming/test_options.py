from __future__ import annotations

from typing import Any

import pytest

from streaming.client import KafkaAddress, UnusableAddress
from streaming.faust.options import demand_options, demand_way_in


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"foo": 1}, "there is no option foo"),
        ({"linger.ms": 5, "foo": 1, "bar": 2}, "there is no option foo"),
        ({"error_cb": "x"}, "there is no option error_cb"),
        ({"logger": "x"}, "there is no option logger"),
        ({"delivery.report.only.error": True}, "there is no option delivery.report.only.error"),
        ({"compression.type": "hunter2"}, "compression.type has a value that it cannot have"),
        ({"enable.auto.offset.store": "hunter2"}, "enable.auto.offset.store is neither true nor false"),
        ({"statistics.interval.ms": -5}, "statistics.interval.ms is outside of 0..86400000"),
        ({"retries": 0}, "retries"),
        ({"message.timeout.ms": 30_000}, "message.timeout.ms"),
    ],
)
def test_options_that_librdkafka_does_not_take_are_named_with_the_mend(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UnusableAddress) as refused:
        demand_options({name: str(value) for name, value in options.items()})

    assert words in str(refused.value)
    assert ". " in str(refused.value), "there is a mend"
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_options_that_are_taken_are_not_looked_at_as_files_and_reach_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    demand_options({"security.protocol": "ssl", "ssl.ca.location": "/nowhere", "client.id": "baton", "debug": "all"})

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sasl.mechanism": "FOO", "sasl.username": "u", "sasl.password": "hunter2"}, "Unsupported SASL mechanism"),
        ({"sasl.mechanism": "PLAIN"}, "sasl.username and sasl.password must be set"),
    ],
)
def test_a_way_in_that_librdkafka_cannot_take_is_said(options: dict[str, str], words: str) -> None:
    address = KafkaAddress.parse("a", {"security.protocol": "SASL_PLAINTEXT"} | options)

    with pytest.raises(UnusableAddress, match=words) as refused:
        demand_way_in(address)

    assert "hunter2" not in str(refused.value)
