"""Why a broker does not let us in is said by what its TLS says; here a server that knows TLS and nothing of Kafka."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from streaming import admin
from streaming.client import KafkaAddress
from streaming.entry import knock
from tests.kafka.guarded import KEY_PASSWORD, Certificates

SECONDS = 10.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("files") / "certificates").make()


@contextmanager
def server(context: ssl.SSLContext | None) -> Iterator[str]:
    """Answers whoever asks something; without a context it ends each connection. Its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                plain.settimeout(SECONDS)
                if context is None:
                    continue
                with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as secured:
                    try:
                        secured.do_handshake()
                    except ssl.SSLError:
                        os.read(secured.fileno(), 1_000)  # else the alert is lost with what nobody has read
                        continue
                    secured.recv(100)
                    secured.sendall(b"yes!")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(SECONDS)


def speaking(name: str, certificates: Certificates) -> ssl.SSLContext:
    """TLS that shows the certificate of that name, and demands one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = certificates.home / f"{name}.pem", certificates.home / f"{name}.key"
    context.load_cert_chain(*files, KEY_PASSWORD)
    context.load_verify_locations(certificates.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def demanding(certificates: Certificates) -> Iterator[str]:
    with server(speaking("node", certificates)) as found:
        yield found


def options(certificates: Certificates, client: str | None = "client", authority: Path | None = None) -> dict[str, str]:
    found = {"security.protocol": "SSL", "ssl.ca.location": str(authority or certificates.authority)}
    return found | (certificates.of(client) if client is not None else {})


def told(at: str, given: dict[str, str]) -> str:
    return knock(KafkaAddress.parse(at, given), at, SECONDS)


def test_who_has_all_that_is_demanded_is_let_in(certificates: Certificates, demanding: str) -> None:
    assert told(demanding, options(certificates)) == ""


def test_who_is_not_let_in_hears_which_option_to_look_at(certificates: Certificates, demanding: str) -> None:
    elsewhere = "localhost:" + demanding.rpartition(":")[2]

    assert "See ssl.ca.location" in told(demanding, options(certificates, authority=certificates.stranger))
    assert "Give ssl.certificate.location and ssl.key.location" in told(demanding, options(certificates, client=None))
    assert "See ssl.certificate.location" in told(demanding, options(certificates, client="intruder"))
    assert "See ssl.endpoint.identification.algorithm" in told(elsewhere, options(certificates))


class Client:
    """An admin client that is never asked anything."""

    def __init__(self, bootstrap_servers: list[str], **_: object) -> None:
        self.servers = bootstrap_servers

    def close(self) -> None:
        pass


def test_a_server_with_a_wrong_certificate_costs_nothing_where_another_one_lets_us_in(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates, demanding: str
) -> None:
    with server(speaking("intruder", certificates)) as other:
        both = KafkaAddress.parse(f"{other},{demanding}", options(certificates))
        monkeypatch.setattr(admin, "_Admin", Client)
        with admin.connection(both, SECONDS) as client:
            assert client.servers == [demanding]


def test_a_server_that_ends_the_connection_may_be_on_its_way_down(certificates: Certificates) -> None:
    with server(None) as at, pytest.raises(OSError, match=r"before TLS; .* see security\.protocol"):
        told(at, options(certificates))


def test_nobody_waits_for_a_broker_that_would_never_let_us_in(certificates: Certificates, demanding: str) -> None:
    address = KafkaAddress.parse(demanding, options(certificates, client=None))
    with pytest.raises(admin.ShutOut, match=r"ssl\.certificate\.location"), admin.connection(address, patience=3_600):
        pass
