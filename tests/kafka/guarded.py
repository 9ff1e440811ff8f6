"""A node with guarded listeners beside its plain one, and the options by which clients get in.

The plain listener is for the tests' own eyes. Who was given the address of another one is told of that one alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from streaming.client import KafkaAddress
from tests.kafka.node import Node, free_port

USER, PASSWORD, KEY_PASSWORD = "baton", "let-me-in", "open-sesame"
MUTUAL, SASL = "MUTUAL", "GUARDED"
"""Listeners: TLS that demands a client's certificate; SASL over TLS."""
PLAIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}";'
)
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True)
class Certificates:
    """Files of an authority that both sides trust, of a client and of the node; and of one that nobody knows."""

    home: Path

    def make(self) -> Certificates:
        authority, stranger = trustme.CA(), trustme.CA()
        self.home.mkdir(parents=True)
        authority.cert_pem.write_to_path(self.authority)
        stranger.cert_pem.write_to_path(self.stranger)
        for name, issuer in (("node", authority), ("client", authority), ("intruder", stranger)):
            leaf = issuer.issue_cert("127.0.0.1")
            chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
            key = leaf.private_key_pem.bytes()
            (self.home / f"{name}.pem").write_bytes(chain)
            (self.home / f"{name}.key").write_bytes(_pkcs8(key, BestAvailableEncryption(KEY_PASSWORD.encode())))
            (self.home / f"{name}.store").write_bytes(_pkcs8(key, NoEncryption()) + chain)
        return self

    @property
    def authority(self) -> Path:
        return self.home / "authority.pem"

    @property
    def stranger(self) -> Path:
        return self.home / "stranger.pem"

    def of(self, name: str) -> dict[str, str]:
        """Options of a client that shows the certificate of that name."""
        return {
            "ssl.certificate.location": str(self.home / f"{name}.pem"),
            "ssl.key.location": str(self.home / f"{name}.key"),
            "ssl.key.password": KEY_PASSWORD,
        }


def _pkcs8(key: bytes, encryption: KeySerializationEncryption) -> bytes:
    """A private key in the one form that Kafka reads."""
    loaded = load_pem_private_key(key, password=None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


class GuardedNode(Node):
    """A node with the two listeners."""

    def __init__(self, home: Path) -> None:
        self.certificates = Certificates(home.resolve() / "certificates").make()
        self.ports = {MUTUAL: free_port(), SASL: free_port()}
        guarded = ",".join(f"{name}://127.0.0.1:{port}" for name, port in self.ports.items())
        store = {
            "keystore.type": "PEM",
            "keystore.location": str(self.certificates.home / "node.store"),
            "truststore.type": "PEM",
            "truststore.location": str(self.certificates.authority),
        }
        settings = {
            "listeners": f"CLIENTS://127.0.0.1:{{port}},{guarded},CONTROLLER://127.0.0.1:{{controller}}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{{port}},{guarded}",
            "listener.security.protocol.map": f"CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,{MUTUAL}:SSL,{SASL}:SASL_SSL",
            **{f"ssl.{name}": value for name, value in store.items()},
            f"listener.name.{MUTUAL.lower()}.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            f"listener.name.{SASL.lower()}.plain.sasl.jaas.config": PLAIN,
            f"listener.name.{SASL.lower()}.scram-sha-512.sasl.jaas.config": SCRAM,
        }
        super().__init__(home, settings=settings)

    def add_user(self) -> None:
        """For SCRAM; PLAIN has its user in the node's settings."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted: list[UserScramCredentialAlteration] = [UserScramCredentialUpsertion(USER, how, PASSWORD.encode())]
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for answer in admin.alter_user_scram_credentials(wanted).values():
            answer.result(30)

    def at(self, listener: str) -> str:
        """Where a listener is."""
        return f"127.0.0.1:{self.ports[listener]}"


@dataclass(frozen=True)
class Way:
    """A way in: where, and by which options."""

    bootstrap: str
    options: Mapping[str, str]

    def without(self, *names: str) -> Way:
        """The same without some options."""
        return replace(self, options={name: value for name, value in self.options.items() if name not in names})

    def but(self, options: Mapping[str, str]) -> Way:
        """The same with other options on top."""
        return replace(self, options={**self.options, **options})

    @property
    def address(self) -> KafkaAddress:
        return KafkaAddress.parse(self.bootstrap, self.options)

    @property
    def environment(self) -> dict[str, str]:
        """The same for commands."""
        return {"BATON_KAFKA": self.bootstrap, "BATON_KAFKA_OPTIONS": json.dumps(dict(self.options))}


def mutual(node: GuardedNode) -> Way:
    """By a certificate."""
    options = {"security.protocol": "SSL", "ssl.ca.location": str(node.certificates.authority)}
    return Way(node.at(MUTUAL), options | node.certificates.of("client"))


def sasl(node: GuardedNode, mechanism: str) -> Way:
    """By name and password."""
    options = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(node.certificates.authority),
        "sasl.mechanism": mechanism,
        "sasl.username": USER,
        "sasl.password": PASSWORD,
    }
    return Way(node.at(SASL), options)


WAYS: dict[str, Callable[[GuardedNode], Way]] = {
    "mutual TLS": mutual,
    "SASL_SSL, PLAIN": partial(sasl, mechanism="PLAIN"),
    "SASL_SSL, SCRAM": partial(sasl, mechanism="SCRAM-SHA-512"),
}
