"""What was read of a changelog, in a file without a name; in memory is only where each key's record stands.

A restart that has to read the whole changelog would else hold all of it in memory until the state's file is written.
The records look as they do in that file, so they are copied into it as they are.
"""

from __future__ import annotations

import os
import struct
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

from streaming.faust.state_file import HEAD
from streaming.stage import StateUnreadable

_AT_ONCE = 2_048
"""Bytes that one read asks for: nearly every record is shorter."""


class Spool:
    """One partition's values, written by `take` until `seal`, and read from then on.

    What was written over or deleted stays in the file, which has no name, until this object or its process is gone.
    `low` is where the changelog began.
    """

    def __init__(self, folder: Path, low: int) -> None:
        """Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file, path = tempfile.mkstemp(f".{os.getpid()}.part", "spool.", folder)
        weakref.finalize(self, os.close, self._file).atexit = False  # a thread may still read then
        Path(path).unlink()
        self.low, self.sealed = low, False
        self.starts: dict[bytes, int] = {}
        self._end = 0

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return len(self.starts)

    def take(self, values: Mapping[bytes, bytes | None]) -> None:
        """Write them on top; None deletes a key. Raises OSError, and nothing of it counts then."""
        pieces, starts, at = [], dict[bytes, int](), self._end
        for key, value in values.items():
            if value is not None:
                piece = HEAD.pack(len(key), len(value)) + key + value
                pieces.append(piece)
                starts[key] = at
                at += len(piece)
        self._write(b"".join(pieces))
        self._end = at
        self.starts.update(starts)
        for key, value in values.items():
            if value is None:
                self.starts.pop(key, None)

    def seal(self) -> None:
        """Nothing more comes: from now on another thread may read, too."""
        self.sealed = True

    def secure(self) -> None:
        """Ask the disk whether it has all of it. Raises OSError where it has not."""
        os.fsync(self._file)

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`. Raises StateUnreadable."""
        start = self.starts.get(key)
        if start is None:
            return None
        record, at = self.record(start), HEAD.size + len(key)
        if record[HEAD.size : at] != key:
            raise StateUnreadable("the disk does not give back what was read of the changelog")
        return record[at:]

    def places(self) -> Iterator[tuple[bytes, int]]:
        """Each key, and where its record begins."""
        return iter(self.starts.items())

    def record(self, start: int) -> bytes:
        """A record as it stands in the file. Raises StateUnreadable."""
        try:
            data = os.pread(self._file, _AT_ONCE, start)
            size = HEAD.size + sum(HEAD.unpack_from(data))
            if size > len(data):
                data = os.pread(self._file, size, start)
        except (OSError, struct.error) as why:
            raise StateUnreadable(f"the disk does not give back what was read of the changelog: {why}") from why
        if size > len(data):
            raise StateUnreadable("the disk gives back less than was read of the changelog")
        return data[:size]

    def _write(self, data: bytes) -> None:
        left, at = memoryview(data), self._end
        while left:
            written = os.pwrite(self._file, left, at)
            left, at = left[written:], at + written
