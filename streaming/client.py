"""Where the brokers are and how to get in: one setting, in the words of each client library.

Options are written in librdkafka's names (`security.protocol`, `sasl.username`, …) because those are the most widely
documented; kafka-python gets what it has a word for.
Source: librdkafka, CONFIGURATION.md; kafka-python, KafkaAdminClient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

DEFAULT_PORT = 9092
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

_KAFKA_PYTHON = {
    "client.id": "client_id",
    "client.dns.lookup": "client_dns_lookup",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "ssl.crl.location": "ssl_crlfile",
}
_CHECK_HOSTNAME = "ssl.endpoint.identification.algorithm"
# What the engine sets itself, because its promises rest on it.
_OURS = frozenset(
    {
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "transactional.id",
        "enable.auto.commit",
        "isolation.level",
        "enable.idempotence",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "acks",
        "request.required.acks",
        "partitioner",
    }
)


IN_FLIGHT = 1
"""Requests that a producer of ours has under way to a broker: `max.in.flight`.

A broker that has nothing of a producer in a partition yet takes whatever sequence comes first. Where it refused the
first batch and took the second, which was under way, librdkafka holds the first to be written too: it is lost, and said
to be delivered, in a committed transaction even (`tests/integration/engine/test_first_batch.py`).
"""


class UnusableAddress(ValueError):
    """Brokers or options that no client can use; the text says what is wrong and the mend."""


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Brokers (`host:port`, at least one) and options for their clients.

    Its text shows no options: one may be a password.
    """

    servers: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def parse(cls, servers: str, options: Mapping[str, Any] | str | None = None) -> KafkaAddress:
        """Read `host:port,host:port` (port 9092 where there is none), and options as a mapping or as a JSON object.

        Raises UnusableAddress.
        """
        hosts = tuple(_server(part.strip()) for part in servers.split(",") if part.strip())
        if not hosts:
            raise UnusableAddress("there is no broker in the list. Give at least one, as host:port")
        return cls(hosts, MappingProxyType(_options(options)))

    @property
    def protocol(self) -> str:
        """How brokers are spoken to, one of `PROTOCOLS`."""
        return self.options.get("security.protocol", "PLAINTEXT").upper()

    @property
    def bootstrap(self) -> str:
        """The brokers in one text, as every client takes them."""
        return ",".join(self.servers)

    def librdkafka_config(self, **more: Any) -> dict[str, Any]:
        """Configuration of a confluent-kafka client; `more` has underscores for dots (`group_id`), and comes on top."""
        return {
            "bootstrap.servers": self.bootstrap,
            **self.options,
            **{name.replace("_", "."): value for name, value in more.items()},
        }

    def kafka_python_config(self, **more: Any) -> dict[str, Any]:
        """Configuration of a kafka-python client; `more` comes on top.

        Raises UnusableAddress for an option about security that kafka-python has no word for: to leave it out would
        be to connect in another way than was asked for. Other options are for librdkafka alone.
        """
        config: dict[str, Any] = {"bootstrap_servers": list(self.servers)}
        for name, value in self.options.items():
            if name == _CHECK_HOSTNAME:
                config["ssl_check_hostname"] = value != "none"
            elif name in ("security.protocol", "sasl.mechanism", "sasl.mechanisms"):
                config[_KAFKA_PYTHON[name]] = value.upper()
            elif name in _KAFKA_PYTHON:
                config[_KAFKA_PYTHON[name]] = value
            elif name.startswith(("sasl.", "ssl.", "enable.ssl.")):
                raise UnusableAddress(
                    f"kafka-python, which sets up topics and reads lag, knows no option {name!r}. "
                    f"Use one of {', '.join(sorted([*_KAFKA_PYTHON, _CHECK_HOSTNAME]))}"
                )
        return config | more


def _server(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):  # a host alone, or an IPv6 address alone: [::1]
        host, port = text, str(DEFAULT_PORT)
    if not host or "/" in host or any(c.isspace() for c in host) or (":" in host and not host.startswith("[")):
        raise UnusableAddress(f"{text!r} is not a broker. Write host:port, an IPv6 address as [::1]:9092")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UnusableAddress(f"{text!r} has no usable port. Write host:port, with a port from 1 to 65535")
    return f"{host}:{int(port)}"


def _options(options: Mapping[str, Any] | str | None) -> dict[str, str]:
    if isinstance(options, str):
        try:
            options = json.loads(options) if options.strip() else {}
        except ValueError as error:
            raise UnusableAddress(f'the options are not JSON ({error}). Write {{"security.protocol": "SSL"}}') from None
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise UnusableAddress('the options are not a JSON object. Write {"security.protocol": "SSL"}')
    plain = {str(name): _text(str(name), value) for name, value in options.items()}
    if taken := sorted(_OURS & plain.keys()):
        raise UnusableAddress(f"{', '.join(taken)}: set by Baton itself, its promises rest on it. Leave it out")
    if (protocol := plain.get("security.protocol", "PLAINTEXT")).upper() not in PROTOCOLS:
        raise UnusableAddress(f"security.protocol {protocol!r} is unknown. Write one of {', '.join(PROTOCOLS)}")
    by_sasl = plain.get("security.protocol", "").upper().startswith("SASL")
    if by_sasl and not plain.keys() & {"sasl.mechanism", "sasl.mechanisms"}:
        raise UnusableAddress(
            "sasl.mechanism is missing, and each client has another default. Write SCRAM-SHA-512, say"
        )
    return plain


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise UnusableAddress(f"option {name!r} is not a text or a number. Write it as librdkafka documents it")
