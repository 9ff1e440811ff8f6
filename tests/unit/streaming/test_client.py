from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient

from streaming.client import KafkaAddress, UnusableAddress

SECURED = {
    "security.protocol": "sasl_ssl",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": "baton",
    "sasl.password": "a-secret",
    "ssl.ca.location": "/etc/ca.pem",
}


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("localhost", ("localhost:9092",)),
        ("a:1, b:2 ,c", ("a:1", "b:2", "c:9092")),
        ("[::1]:19092", ("[::1]:19092",)),
        ("[::1]", ("[::1]:9092",)),
        ("10.0.0.7:9093,", ("10.0.0.7:9093",)),
    ],
)
def test_brokers_are_read_from_a_list(text: str, servers: tuple[str, ...]) -> None:
    assert KafkaAddress.parse(text).servers == servers


@pytest.mark.parametrize("text", ["", " , ", "a:port", "a:0", "a:65536", ":9092", "kafka://a:1", "::1", "a b:1", "a:²"])
def test_what_is_no_broker_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(UnusableAddress, match=r"host:port"):
        KafkaAddress.parse(text)


def test_options_reach_librdkafka_as_they_were_written() -> None:
    address = KafkaAddress.parse("a:1,b:2", SECURED)

    assert address.librdkafka_config(group_id="g") == {
        "bootstrap.servers": "a:1,b:2",
        **SECURED,
        "group.id": "g",
    }


def test_the_same_options_reach_kafka_python_in_its_own_words() -> None:
    address = KafkaAddress.parse("a:1,b:2", json.dumps(SECURED))

    assert address.kafka_python_config(client_id="tool") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "baton",
        "sasl_plain_password": "a-secret",
        "ssl_cafile": "/etc/ca.pem",
        "client_id": "tool",
    }


def test_a_host_name_is_checked_unless_that_was_switched_off() -> None:
    def checks(options: dict[str, Any]) -> Any:
        return KafkaAddress.parse("a", options).kafka_python_config().get("ssl_check_hostname", True)

    assert checks({}) is True
    assert checks({"ssl.endpoint.identification.algorithm": "https"}) is True
    assert checks({"ssl.endpoint.identification.algorithm": "none"}) is False


def test_an_option_for_speed_is_librdkafkas_alone() -> None:
    address = KafkaAddress.parse("a", {"socket.keepalive.enable": True, "queued.min.messages": 1000})

    assert address.librdkafka_config() == {
        "bootstrap.servers": "a:9092",
        "socket.keepalive.enable": "true",
        "queued.min.messages": "1000",
    }
    assert address.kafka_python_config() == {"bootstrap_servers": ["a:9092"]}


def test_an_option_of_security_that_one_client_lacks_is_refused_and_not_dropped() -> None:
    address = KafkaAddress.parse("a", {"ssl.keystore.location": "/etc/keys.p12"})

    with pytest.raises(UnusableAddress, match=r"'ssl.keystore.location'.*ssl.key.location"):
        address.kafka_python_config()


@pytest.mark.parametrize("options", ['{"a"', "[1]", '"text"', '{"a": [1]}', {"a": None}, '{"isolation.level": "x"}'])
def test_options_that_cannot_be_used_are_refused(options: Any) -> None:
    with pytest.raises(UnusableAddress, match=r"Write|Leave"):
        KafkaAddress.parse("a", options)


def test_no_password_shows_in_its_text() -> None:
    assert "a-secret" not in repr(KafkaAddress.parse("a", SECURED))


def test_both_libraries_know_every_option_that_is_handed_to_them() -> None:
    every = {
        "client.id": "baton",
        "client.dns.lookup": "use_all_dns_ips",
        "security.protocol": "SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "u",
        "sasl.password": "p",
        "sasl.kerberos.service.name": "kafka",
        "ssl.key.password": "p",
        "ssl.endpoint.identification.algorithm": "none",
    }
    address = KafkaAddress.parse("127.0.0.1:1", every)
    files = {"ssl.ca.location": "f", "ssl.certificate.location": "f", "ssl.key.location": "f", "ssl.crl.location": "f"}
    mapped = KafkaAddress.parse("a", every | files).kafka_python_config()

    Producer(address.librdkafka_config())
    assert set(mapped) <= set(KafkaAdminClient.DEFAULT_CONFIG)
