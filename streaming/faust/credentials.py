"""How Faust's own clients get in, from the options that librdkafka's get in by."""

from __future__ import annotations

import ssl
from typing import Any

import faust

from streaming.client import KafkaAddress, UnusableAddress


def credentials(address: KafkaAddress) -> Any:
    """Credentials in Faust's words; None for a plain connection. Raises UnusableAddress."""
    options = address.options
    protocol = options.get("security.protocol", "plaintext").upper()
    if protocol == "PLAINTEXT":
        return None
    context = _context(address) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = options.get("sasl.mechanism", options.get("sasl.mechanisms", "PLAIN")).upper()
    if mechanism not in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        raise UnusableAddress(f"quiet topics cannot be read with {mechanism}. Use PLAIN or SCRAM")
    return faust.SASLCredentials(
        username=options.get("sasl.username"),
        password=options.get("sasl.password"),
        mechanism=mechanism,
        ssl_context=context,
    )


def _context(address: KafkaAddress) -> ssl.SSLContext:
    options = address.options
    context = ssl.create_default_context(cafile=options.get("ssl.ca.location"))
    if options.get("ssl.endpoint.identification.algorithm") == "none":
        context.check_hostname = False
    if certificate := options.get("ssl.certificate.location"):
        context.load_cert_chain(certificate, options.get("ssl.key.location"), options.get("ssl.key.password"))
    return context
