"""What a platform is to us: three small functions over a delivery."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from schemas import MarketingEvent
from services.ingest.refusal import Refused, refused
from services.ingest.source import Source

FRESH_SECONDS = 300
"""Where a signature covers a time, an older one is a replay."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request of a platform, as it came. Names of headers are in lower case; `received_at` is aware."""

    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


class Answer(NamedTuple):
    """What a platform wants to hear."""

    body: bytes
    content_type: str


class Notice(NamedTuple):
    """News of a lead that must be fetched before it is an event. `raw` is what the platform said of it."""

    lead: str
    raw: Mapping[str, Any]


@dataclass(slots=True)
class Parsed:
    """What a delivery holds. `refused` are its bad members: their index, and why.

    `kept` are notices that make no event and must still be seen by somebody: they go to the failed records, with why.
    """

    events: list[MarketingEvent] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    kept: list[tuple[Notice, Refused]] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)


class Platform(Protocol):
    """One kind of source. Pure: what must be fetched is said as a `Notice`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of `sources.yaml` without which it cannot be verified."""

    def challenge(self, delivery: Delivery, source: Source) -> Answer:
        """Answer a GET by which the platform makes sure that the address is ours. Raises `Refused`."""

    def verify(self, delivery: Delivery, source: Source) -> None:
        """Raise `Refused` (`bad_signature`) unless the delivery is the platform's. Called before `parse`."""

    def parse(self, delivery: Delivery, source: Source) -> Parsed:
        """The events of a verified delivery. Raises `Refused` where it is none of the platform's at all."""


class Fetcher(Protocol):
    """Fetches what a platform only gave notice of."""

    async def fetch(self, notice: Notice, source: Source, received_at: datetime) -> MarketingEvent:
        """The event. Raises `Unreachable` for what passes, `Refused` for what will never come."""

    async def close(self) -> None:
        """Give the connections back."""


class Unreachable(Exception):
    """The platform does not answer, throttles, or does not let us in: the delivery must come again later.

    Its text says why, without a person's data.
    """


def no_challenge() -> Refused:
    """For platforms that send no GET."""
    return refused("method_not_allowed", "", "this platform sends no GET", "Send a POST")


def check_fresh(milliseconds: str | None, header: str, delivery: Delivery) -> None:
    """Raise `Refused` unless the header's time (ms since the epoch) is within `FRESH_SECONDS` of the delivery's."""
    text = milliseconds or ""
    said = int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 16 else 0.0
    if abs(delivery.received_at.timestamp() - said) > FRESH_SECONDS:
        raise refused("bad_signature", header, "is missing or too old", "Send it with the time of sending, signed anew")


def escaped(body: bytes) -> bytes:
    r"""`body` with all beyond ASCII as `\uXXXX` in lower case, surrogate pairs for the astral planes."""

    def escape(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

    return _BEYOND_ASCII.sub(escape, body.decode(errors="replace")).encode()


def check_signature(given: str | None, header: str, source: Source, sign: Callable[[bytes], str]) -> None:
    """Raise `Refused` unless `given` is `sign(secret)` for one of the source's secrets; compared in constant time."""
    if not given:
        raise refused("bad_signature", header, "is missing", "Send the signature of the body in this header")
    said = given.strip().encode()
    if not any(hmac.compare_digest(said, sign(secret.encode()).encode()) for secret in source.secrets):
        raise refused(
            "bad_signature",
            header,
            "does not fit the body",
            "Sign the bytes as they are sent, with the secret that the source in sources.yaml names",
        )
