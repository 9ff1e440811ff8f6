"""How Faust's own clients get in, from the options that librdkafka's get in by."""

from __future__ import annotations

from typing import Any

import faust

from streaming.client import KafkaAddress, UnusableAddress
from streaming.entry import tls


def credentials(address: KafkaAddress) -> Any:
    """Credentials in Faust's words; None for a plain connection. Raises UnusableAddress."""
    options = address.options
    if address.protocol == "PLAINTEXT":
        return None
    context = tls(address)
    if address.protocol == "SSL":
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
