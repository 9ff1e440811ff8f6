"""Records with a header whose name is not UTF-8, which anybody may write who may write to a topic.

confluent-kafka 2.16 leaves an exception behind when it is asked for their headers, and gives a list with a hole in it,
at which the process dies (SIGSEGV). So each record is asked once, before anybody else asks.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

from streaming.stage import RawHeaders, RecordError

REASON = "invalid_headers"

_headers = methodcaller("headers")
"""`message.headers()` in code that CPython has specialised would not look whether an exception was left behind."""


class Misnamed:
    """Such a record, whose headers raise RecordError; all else is the record's own."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def headers(self) -> RawHeaders:
        """Names are lost: of the client's list there is nothing that can be looked at."""
        raise RecordError(
            REASON,
            "headers: the name of one is not UTF-8, and the client gives none of them. Send header names in UTF-8; "
            "the original is where baton_topic, baton_partition and baton_offset say",
        )

    def __getattr__(self, name: str) -> Any:
        """Topic, partition, offset, key, value, timestamp."""
        return getattr(self._of, name)


def sound(message: Any) -> Any:
    """`message`, a record of confluent-kafka; or a `Misnamed` of it."""
    try:
        _headers(message)
    except SystemError:
        message.set_headers([])  # in place of the list with the hole
        return Misnamed(message)
    return message
