"""Headers of a record: CloudEvents 1.0 in Kafka's binary mode, and Baton's own clocks.

Source: CloudEvents, Kafka Protocol Binding 1.0.2, section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

Headers: TypeAlias = list[tuple[str, bytes]]

RECEIVED_AT, INGESTED_AT, SCORED_AT = "baton_received_at", "baton_ingested_at", "baton_scored_at"
CLOCKS = (RECEIVED_AT, INGESTED_AT, SCORED_AT)

REPLAY_OF = "baton_replay_of"
"""Id of the failed record that a record is a replay of."""


def rfc3339(at: datetime) -> str:
    """`at` (aware) in UTC, with a Z."""
    at = at if at.tzinfo is UTC else at.astimezone(UTC)
    return at.isoformat()[:-6] + "Z"


def cloudevent(*, id: str, source: str, type: str, time: datetime) -> Headers:  # noqa: A002 the specification's names
    """Headers of a JSON record in binary mode."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_time", rfc3339(time).encode()),
        ("content-type", b"application/json"),
    ]


def header_map(headers: Sequence[tuple[str, bytes | None]] | None) -> Mapping[str, str]:
    """Headers by name, as text; of several with one name the last counts. Bytes that are not UTF-8 are replaced."""
    return {name: value.decode(errors="replace") for name, value in headers or () if value is not None}


def passed_on(headers: Sequence[tuple[str, bytes | None]] | None, names: Sequence[str] = CLOCKS) -> Headers:
    """The headers of `names` that travel on, as `carried` gives them, for those who need no others."""
    found = {name: value for name, value in headers or () if value is not None and name in names}
    return [
        (name, found[name] if found[name].isascii() else found[name].decode(errors="replace").encode())
        for name in names
        if name in found
    ]


def carried(headers: Mapping[str, str], names: Iterable[str] = CLOCKS) -> Headers:
    """The headers of `names` that travel on to the next stage."""
    return [(name, headers[name].encode()) for name in names if name in headers]
