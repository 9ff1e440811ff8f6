"""TLS in Python's words, and why a broker that takes connections does not let us in.

The client libraries try again and again whatever is wrong with TLS, and say in the end that nobody answered. So it is
looked at here first, over a connection of its own.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from streaming.client import KafkaAddress, UnusableAddress

CA, CERTIFICATE, KEY = "ssl.ca.location", "ssl.certificate.location", "ssl.key.location"
KEY_PASSWORD, REVOKED = "ssl.key.password", "ssl.crl.location"
CHECK_NAME, PROTOCOL = "ssl.endpoint.identification.algorithm", "security.protocol"

_QUESTION = bytes.fromhex("0000000a 0012 0000 00000001 0000")
"""`ApiVersions` 0 with an empty client id: a broker answers it to strangers, too. Source: Kafka's protocol guide."""
_ALERT = b"\x15\x03"
"""So a record of TLS begins that says what is wrong."""


def tls(address: KafkaAddress) -> ssl.SSLContext | None:
    """What TLS to the brokers is made by; None where they are asked without. Raises UnusableAddress."""
    if not address.protocol.endswith("SSL"):
        return None
    options = address.options
    with _named(CA, "the certificates of those who vouch for the brokers, as PEM"):
        context = _trusting(options.get(CA))
    if options.get(CHECK_NAME) == "none":
        context.check_hostname = False
    if certificate := options.get(CERTIFICATE):
        password = options.get(KEY_PASSWORD, "")
        with _named(f"{CERTIFICATE} and {KEY}", f"a certificate and its key, as PEM, and see {KEY_PASSWORD}"):
            context.load_cert_chain(certificate, options.get(KEY), lambda: password)  # without, OpenSSL asks a terminal
    if revoked := options.get(REVOKED):
        with _named(REVOKED, "the list of certificates that were revoked, as PEM"):
            context.load_verify_locations(revoked)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def for_kafka_python(address: KafkaAddress, **more: Any) -> dict[str, Any]:
    """Configuration of a kafka-python client, with TLS as everybody else has it. Raises UnusableAddress."""
    return address.kafka_python_config(ssl_context=tls(address)) | more


def knock(address: KafkaAddress, server: str, seconds: float) -> str:
    """Why a broker does not let us in, with the mend; an empty text where it does, as far as this can be seen.

    Names and passwords of SASL are not tried. Raises UnusableAddress, and OSError where the broker is away or says
    nothing, which may pass.
    """
    context = tls(address)
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), seconds) as plain:
        if context is None:
            plain.sendall(_QUESTION)
            return f"{server} speaks TLS alone. Set {PROTOCOL} to SSL or SASL_SSL" if plain.recv(2) == _ALERT else ""
        agreed = False
        try:
            with context.wrap_socket(plain, server_hostname=host) as secured:
                agreed = True
                secured.sendall(_QUESTION)
                if secured.recv(1):  # by this alone a client hears, in TLS 1.3, that its certificate will not do
                    return ""
                raise ConnectionResetError
        except (ssl.SSLEOFError, ConnectionError) as error:
            perhaps = f"see {CERTIFICATE}" if agreed else f"perhaps it speaks none: see {PROTOCOL}"
            raise OSError(f"it ends the connection {'after' if agreed else 'before'} TLS; {perhaps}") from error
        except ssl.SSLError as error:
            return _refusal(server, error, shown=address.options.get(CERTIFICATE))


def stranger(address: KafkaAddress, seconds: float) -> str:
    """Why the brokers do not take name and password, with the mend; an empty text where nothing is heard of that.

    By librdkafka, for kafka-python tries again and again, and then says that its time was over.
    """
    heard: list[KafkaError] = []
    client = AdminClient(address.librdkafka_config() | {"error_cb": heard.append, "log_level": 0})
    until = monotonic() + seconds
    while monotonic() < until:
        client.poll(0.1)
        for error in heard:
            if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 confluent-kafka's name for it
                return f"the brokers do not know us ({error.str()}). See sasl.username, sasl.password, sasl.mechanism"
    return ""


def _refusal(server: str, error: ssl.SSLError, shown: str | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if "match" in error.verify_message:
            return f"{server} shows a certificate of another host ({error.verify_message}). See {CHECK_NAME}"
        return f"{server} shows a certificate that nobody vouches for ({error.verify_message}). See {CA}"
    if "ALERT" not in (error.reason or ""):
        return f"{server} speaks no TLS that we understand ({_said(error)}). See {PROTOCOL}"
    if shown is None:
        return f"{server} demands a certificate of its clients ({_said(error)}). Give {CERTIFICATE} and {KEY}"
    return f"{server} does not take our certificate ({_said(error)}). See {CERTIFICATE}"


def _trusting(authorities: str | None) -> ssl.SSLContext:
    if authorities is not None and Path(authorities).is_dir():  # librdkafka takes that, too
        return ssl.create_default_context(capath=authorities)
    return ssl.create_default_context(cafile=authorities)


@contextmanager
def _named(option: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # of ssl's own errors each is one
        raise UnusableAddress(f"{option} cannot be used ({_said(error)}). Give {what}") from error


def _said(error: OSError) -> str:
    """What an error says, in a few words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM, or another password").lower().replace("_", " ")
    return error.strerror or str(error)
