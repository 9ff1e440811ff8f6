"""Standard output that says in one way that it cannot be written, or that nobody reads it any more."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from baton.refusal import Refusal

_DESCRIPTOR = 1


class Unwritable(Refusal):
    """Standard output takes nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot write to standard output: {why}", "Send it to where there is room, or to a file")


class ReaderGone(Exception):
    """Who read from the pipe has seen enough. No `OSError`, for which libraries have answers of their own."""


def say_plainly() -> None:
    """From now on `sys.stdout` raises `Unwritable` or `ReaderGone`, once; what is written afterwards is lost."""
    before = sys.stdout
    raw = _Output(closed=before is None)
    at_once = bool(getattr(before, "write_through", False))  # python -u, PYTHONUNBUFFERED
    sys.stdout = io.TextIOWrapper(
        _AtOnce(raw) if at_once else io.BufferedWriter(raw),
        encoding="utf-8" if before is None else before.encoding,
        errors="strict" if before is None else before.errors,
        line_buffering=raw.isatty(),
        write_through=at_once,
    )


class _AtOnce(io.BufferedWriter):
    """Keeps nothing back. The descriptor alone would not do: it may take a part of a long text, and no more."""

    def write(self, data: Any, /) -> int:
        taken = super().write(data)
        self.flush()
        return taken


class _Output(io.RawIOBase):
    """The descriptor. After its first error it takes all, for Python writes what is left at its end, and complains."""

    def __init__(self, *, closed: bool) -> None:
        super().__init__()
        self._none, self._lost = closed, False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._none:  # by now the number may be another file's
            raise io.UnsupportedOperation("standard output is closed")
        return _DESCRIPTOR

    def isatty(self) -> bool:
        return not self._none and os.isatty(_DESCRIPTOR)

    def write(self, data: Any, /) -> int:
        if self._lost:
            return memoryview(data).nbytes
        self._lost = True
        if self._none:
            raise Unwritable("it is closed")
        try:
            written = os.write(_DESCRIPTOR, data)
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise Unwritable(error.strerror or str(error)) from error
        self._lost = False
        return written
