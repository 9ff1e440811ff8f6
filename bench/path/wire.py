"""Connections over which requests are posted: as little work a request as HTTP/1.1 allows.

A load generator shares the machine with what it measures, so what it spends is missing there: a full client library
took three quarters of a core for 500 requests a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import httptools

Answered = Callable[[int], None]
"""Is told the status; `NO_ANSWER` where the connection broke before one came."""

NO_ANSWER = 0
KEEP_SECONDS = 2.0
"""Less than the collector keeps an idle connection, so that no request goes out on one that is being closed."""


class Wire(asyncio.Protocol):
    """A connection, with one request under way at a time."""

    def __init__(self, idle: list[Wire]) -> None:
        self.idle, self.since = idle, 0.0
        self.transport: asyncio.Transport | None = None
        self._answered: Answered | None = None
        self._parser = httptools.HttpResponseParser(self)

    def send(self, request: bytes, answered: Answered) -> None:
        """Send a request; `answered` hears of the answer once it is there as a whole."""
        assert self.transport is not None
        self._answered = answered
        self.transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status, keep = self._parser.get_status_code(), self._parser.should_keep_alive()
        answered, self._answered = self._answered, None
        if keep:
            self.since = time.monotonic()
            self.idle.append(self)
        elif self.transport is not None:
            self.transport.close()
        if answered is not None:
            answered(status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's
        answered, self._answered = self._answered, None
        if self in self.idle:
            self.idle.remove(self)
        if answered is not None:
            answered(NO_ANSWER)


class Wires:
    """As many connections to one address as there are requests under way."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n".encode()
        )
        self._idle: list[Wire] = []
        self._opening: set[asyncio.Task[None]] = set()

    def post(self, body: bytes, answered: Answered) -> None:
        """Post `body` at once where a connection is free, else over a new one."""
        request = b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body)
        while self._idle:
            wire = self._idle.pop()
            if time.monotonic() - wire.since < KEEP_SECONDS:
                wire.send(request, answered)
                return
            if wire.transport is not None:
                wire.transport.close()
        task = asyncio.get_running_loop().create_task(self._over_a_new_one(request, answered))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def close(self) -> None:
        """Close the connections that nothing is under way on."""
        for wire in self._idle:
            if wire.transport is not None:
                wire.transport.close()

    async def _over_a_new_one(self, request: bytes, answered: Answered) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.create_connection(lambda: Wire(self._idle), self._host, self._port)
        except OSError:
            answered(NO_ANSWER)
        else:
            if wire.transport is None or wire.transport.is_closing():
                answered(NO_ANSWER)
            else:
                wire.send(request, answered)
