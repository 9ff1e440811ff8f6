"""TLS as the options say it, and files that cannot be used."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from streaming.client import KafkaAddress, UnusableAddress
from streaming.entry import for_kafka_python, tls
from streaming.faust.credentials import credentials
from tests.kafka.guarded import Certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("files") / "certificates").make()


def address(certificates: Certificates, *left_out: str, **other: str) -> KafkaAddress:
    options = {
        "security.protocol": "ssl",
        "ssl.ca.location": str(certificates.authority),
        **certificates.of("client"),
        **{name.replace("_", "."): value for name, value in other.items()},
    }
    return KafkaAddress.parse("a", {name: value for name, value in options.items() if name not in left_out})


def test_faust_and_kafka_python_get_the_same_tls(certificates: Certificates) -> None:
    for asked in (address(certificates), address(certificates, ssl_endpoint_identification_algorithm="none")):
        ours = [for_kafka_python(asked)["ssl_context"], credentials(asked).context]
        checks = "ssl.endpoint.identification.algorithm" not in asked.options

        assert [context.verify_mode for context in ours] == [ssl.CERT_REQUIRED] * 2
        assert [context.check_hostname for context in ours] == [checks] * 2
        assert [len(context.get_ca_certs()) for context in ours] == [1, 1]


def test_a_folder_of_authorities_is_taken_as_librdkafka_takes_it(certificates: Certificates, tmp_path: Path) -> None:
    context = tls(address(certificates, ssl_ca_location=str(tmp_path)))

    assert context is not None
    assert context.get_ca_certs() == []  # they are looked up there one by one


def test_who_was_revoked_is_looked_up_by_every_client(certificates: Certificates, tmp_path: Path) -> None:
    authority, now = trustme.CA(), datetime.now(UTC)
    key = load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject
    revoked = x509.CertificateRevocationListBuilder(issuer, now, now + timedelta(days=1)).sign(key, SHA256())
    (tmp_path / "revoked.pem").write_bytes(revoked.public_bytes(Encoding.PEM))
    asked = address(certificates, ssl_crl_location=str(tmp_path / "revoked.pem"))

    assert credentials(asked).context.verify_flags & ssl.VERIFY_CRL_CHECK_LEAF
    assert for_kafka_python(asked)["ssl_context"].cert_store_stats()["crl"] == 1


@pytest.mark.parametrize(
    ("left_out", "other", "named"),
    [
        ((), {"ssl_ca_location": "nowhere.pem"}, r"ssl\.ca\.location .*No such file.*PEM"),
        (
            (),
            {"ssl_certificate_location": "nowhere.pem"},
            r"ssl\.certificate\.location and ssl\.key\.location .*No such",
        ),
        ((), {"ssl_key_password": "another"}, r"ssl\.key\.location .*password"),
        (("ssl.key.password",), {}, r"ssl\.key\.location .*ssl\.key\.password"),
        ((), {"ssl_crl_location": "nowhere.pem"}, r"ssl\.crl\.location .*No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_by_its_option_and_nobody_is_asked_for_a_password(
    certificates: Certificates, left_out: tuple[str, ...], other: dict[str, str], named: str
) -> None:
    with pytest.raises(UnusableAddress, match=named):
        tls(address(certificates, *left_out, **other))


def test_a_certificate_with_the_key_of_another_is_refused(certificates: Certificates) -> None:
    other = certificates.of("intruder")["ssl.key.location"]

    with pytest.raises(UnusableAddress, match="key values mismatch"):
        tls(address(certificates, ssl_key_location=other))


def test_without_tls_no_file_is_looked_at() -> None:
    assert tls(KafkaAddress.parse("a", {"ssl.ca.location": "nowhere.pem"})) is None


def test_a_protocol_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(UnusableAddress, match=r"'TLS' .* SASL_SSL"):
        KafkaAddress.parse("a", {"security.protocol": "TLS"})


def test_sasl_without_a_mechanism_is_refused() -> None:
    with pytest.raises(UnusableAddress, match=r"sasl\.mechanism"):
        KafkaAddress.parse("a", {"security.protocol": "SASL_SSL", "sasl.username": "baton"})
