"""Loses the broker's answer to the end of a transaction, and lets the broker hear that end once more, later."""

from __future__ import annotations

import socket

from tests.integration.engine.between import HEADER, Between

END_TXN = 26
LONGEST_ANSWER = 24
"""Bytes of an answer to that; correlations count a connection, and those of others may be the same."""


class Repeating(Between):
    """Cuts the connection once the first end is done, in place of the answer; `say_again` repeats the request."""

    def __init__(self, port: int, upstream: int) -> None:
        self.first = b""
        self.ends = 0
        self._correlation = -1
        super().__init__(port, upstream)

    def ask(self, frame: bytearray) -> bool:
        _, key, _, correlation = HEADER.unpack_from(frame)
        if key == END_TXN:
            self.ends += 1
            if not self.first:
                self.first, self._correlation = bytes(frame), correlation
        return True

    def answer(self, frame: bytearray) -> bool:
        if len(frame) <= LONGEST_ANSWER and int.from_bytes(frame[4:8]) == self._correlation:
            self._correlation = -1
            raise ConnectionAbortedError
        return True

    def say_again(self, seconds: float) -> int:
        """The first end, as a broker does that had it in a queue. Gives the broker's error code."""
        with socket.create_connection(("127.0.0.1", self._upstream), seconds) as node, node.makefile("rb") as stream:
            node.sendall(self.first)
            answer = stream.read(int.from_bytes(stream.read(4)))
        return int.from_bytes(answer[-3:-1] if self._is_flexible() else answer[-2:], signed=True)

    def _is_flexible(self) -> bool:
        """From version 3 on a byte of tagged fields follows."""
        return bool(HEADER.unpack_from(self.first)[2] >= 3)
