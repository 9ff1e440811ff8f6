"""Quiet topics: a few records a minute, taken one at a time by an ordinary Faust agent of the app.

At least once: what is done with a record must be harmless when it is done twice. Nothing is lost: Faust counts a record
as done even when its agent raised, so nothing raises here. What cannot be processed goes to `failed`, and a record is
done only when one of the two has taken it.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streaming.faust.app import StageApp
from streaming.run import HANDLER_ERROR
from streaming.stage import Failure, Message, RawHeaders, RecordError, TransientError

log = logging.getLogger(__name__)

BACKOFF_SECONDS, BACKOFF_LIMIT_SECONDS = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class QuietMessage:
    """A record as Faust gives it, with `Message`'s methods."""

    of: Any

    def topic(self) -> str:
        """Topic, with prefix."""
        return str(self.of.topic)

    def partition(self) -> int:
        """Number of the partition."""
        return int(self.of.partition)

    def offset(self) -> int:
        """Place in the partition."""
        return int(self.of.offset)

    def key(self) -> bytes | None:
        """Bytes as they came."""
        key: bytes | None = self.of.key
        return key

    def value(self) -> bytes | None:
        """Bytes as they came."""
        value: bytes | None = self.of.value
        return value

    def headers(self) -> RawHeaders | None:
        """Names and bytes."""
        headers = self.of.headers
        return list(headers.items() if isinstance(headers, dict) else headers or ())

    def timestamp(self) -> tuple[int, int]:
        """Type, and ms since the epoch."""
        return int(self.of.timestamp_type or 0), int(self.of.timestamp * 1000)


def take(app: StageApp, topic: str, handle: Callable[[Message], None], failed: Callable[[Failure], None]) -> None:
    """Call `handle` for each record of `topic`, in a thread, one after the other within a partition.

    RecordError, and whatever else `handle` raises, goes to `failed` as a Failure. TransientError is tried again with
    backoff, for as long as it takes; so is any error of `failed` itself. A record without an end (the worker was
    stopped before) comes again.
    """
    source = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            await settle(QuietMessage(event.message), handle, failed)
            event.ack()

    agent.__name__ = f"take_{topic}"
    app.agent(source, name=f"take.{topic}", concurrency=1)(agent)


async def settle(message: Message, handle: Callable[[Message], None], failed: Callable[[Failure], None]) -> None:
    """Handle one record, or fail it; comes back only when one of the two has been done."""
    failure = await _until_done(lambda: _handled(message, handle), message)
    if failure is not None:
        await _until_done(lambda: _reported(failure, failed), message)


def _handled(message: Message, handle: Callable[[Message], None]) -> Failure | None:
    try:
        handle(message)
    except TransientError:
        raise
    except RecordError as error:
        return Failure(message, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 whatever it is, it concerns this record and must not end the agent
        trace = "".join(traceback.format_exception(error))
        return Failure(message, HANDLER_ERROR, f"{type(error).__name__}: {error}", trace)
    return None


def _reported(failure: Failure, failed: Callable[[Failure], None]) -> None:
    try:
        failed(failure)
    except Exception as error:
        raise TransientError(f"the failure could not be kept: {error!r}") from error


async def _until_done(call: Callable[[], Failure | None], message: Message) -> Failure | None:
    tries = 0
    while True:
        try:
            return await asyncio.to_thread(call)
        except TransientError as error:
            seconds = min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2**tries)
            tries = min(tries + 1, 20)
            at = (message.topic(), message.partition(), message.offset())
            log.warning("%s-%d at %d: %s; again in %.1f s", *at, error, seconds)
            await asyncio.sleep(seconds)
