"""A partition's state in one file, which is mapped and read in place: a restart reads no value before it is asked for.

    records, in order of their buckets: length of key, length of value, key, value
    index: for each bucket where its records begin, and where the last one's end
    point: a JSON object that says what the records are the state of
    end: where the index begins, length of the point, checksum of all before it, magic

A file is written under another name, made durable, and only then takes its place; it is never changed. The checksum
is a CRC-32: it is there for disks and torn writes, not for people.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, Protocol
from zlib import crc32

MAGIC = b"BATONST" + sys.byteorder[:1].encode()  # numbers are written as this machine has them
HEAD, _END, _CHECKED = Struct("=II"), Struct("=QII8s"), Struct("=QI")
_STEP = 500
"""Records between two chances for others to go on: about half a millisecond."""
_SHARD_BITS = 10
_PIECE = 1 << 20
_FIRST = itemgetter(0)


class Damaged(Exception):
    """A file that is not what was written; the text says in which way."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a file holds the state of: all that was committed to `partition` of a changelog before `position`.

    What was committed after it may be in there too: the records from `position` on give the same once they are applied.
    `low` is where the changelog began, `taken_at` when the point was taken, in seconds since the epoch.
    """

    topic: str
    topic_id: str
    partition: int
    position: int
    low: int
    taken_at: float


class Below(Protocol):
    """The lowest layer of a table: records by key, as bytes, that do not change."""

    @property
    def low(self) -> int:
        """Where the changelog began."""

    @property
    def keys(self) -> int:
        """How many keys there are."""

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`."""

    def places(self) -> Iterator[tuple[bytes, int]]:
        """Each key, and where its record begins."""

    def record(self, start: int) -> bytes:
        """A record with its head, as `write` writes it."""


class StateFile:
    """A file, open for reading."""

    def __init__(self, path: Path, *, verify: bool = True) -> None:
        """Raises OSError, and Damaged where a single byte is not as it was written."""
        with path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            if size < _END.size:
                raise Damaged(f"it has {size} bytes")
            source.seek(size - _END.size)
            index_at, length, checksum, magic = _END.unpack(source.read(_END.size))
            if magic != MAGIC:
                raise Damaged("its end is missing, or it was written by another version")
            if verify and _checksum(source, size - _END.size + _CHECKED.size) != checksum:
                raise Damaged("its checksum is wrong")
            self._data = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        point_at = size - _END.size - length
        self._index = memoryview(self._data)[index_at:point_at].cast("Q")
        self._mask = len(self._index) - 2
        told = json.loads(self._data[point_at : point_at + length])
        self.keys: int = told.pop("keys")
        self.point = Point(**told)
        self.low = self.point.low

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`."""
        data, bucket = self._data, crc32(key) & self._mask
        at, end = self._index[bucket], self._index[bucket + 1]
        while at < end:
            of_key, of_value = HEAD.unpack_from(data, at)
            start = at + 8
            at = start + of_key + of_value
            if data[start : start + of_key] == key:
                return data[start + of_key : at]
        return None

    def places(self) -> Iterator[tuple[bytes, int]]:
        """Each key, and where its record begins."""
        data, at, end = self._data, 0, self._index[-1]
        while at < end:
            of_key, of_value = HEAD.unpack_from(data, at)
            start, at = at, at + 8 + of_key + of_value
            yield data[start + 8 : start + 8 + of_key], start

    def record(self, start: int) -> bytes:
        """A record as it stands in the file."""
        return self._data[start : start + HEAD.size + sum(HEAD.unpack_from(self._data, start))]


def write(
    out: BinaryIO,
    point: Point,
    fresh: Mapping[bytes, Any],
    below: Below | None = None,
    dumps: Callable[[Any], bytes] = bytes,
) -> Iterator[None]:
    """Write the values of `fresh` (None: there is none) on top of those in `below`. Each step takes a short while."""
    most = len(fresh) + (below.keys if below is not None else 0)
    buckets = 1 << max(0, most - 1).bit_length()
    shards: list[list[tuple[Any, ...]]] = [[] for _ in range((buckets >> _SHARD_BITS) + 1)]
    mask = buckets - 1
    for place in _steps(below.places() if below is not None else iter(())):
        if place is None:
            yield
        elif place[0] not in fresh:
            bucket = crc32(place[0]) & mask
            shards[bucket >> _SHARD_BITS].append((bucket, place[1], None))
    for pair in _steps(iter(fresh.items())):
        if pair is None:
            yield
        elif pair[1] is not None:
            bucket = crc32(pair[0]) & mask
            shards[bucket >> _SHARD_BITS].append((bucket, *pair))
    sealed, index = _Sealed(out), array("Q")
    for shard in shards:
        shard.sort(key=_FIRST)
        for entries in _groups(shard):
            _write_records(sealed, index, entries, below, dumps)
            yield
    index.extend([sealed.at] * (buckets + 1 - len(index)))
    keys, index_at = sum(map(len, shards)), sealed.at
    sealed.write(index.tobytes())
    told = json.dumps({**asdict(point), "keys": keys}).encode()
    sealed.write(told)
    sealed.write(_CHECKED.pack(index_at, len(told)))
    out.write(sealed.checksum.to_bytes(4, sys.byteorder) + MAGIC)


def _write_records(
    out: _Sealed,
    index: array[int],
    entries: list[tuple[Any, ...]],
    below: Below | None,
    dumps: Callable[[Any], bytes],
) -> None:
    pieces, at = [], out.at
    for bucket, one, other in entries:
        if len(index) <= bucket:
            index.extend([at] * (bucket + 1 - len(index)))
        if below is not None and type(one) is int:
            piece = below.record(one)
        else:
            value = dumps(other)
            piece = HEAD.pack(len(one), len(value)) + one + value
        pieces.append(piece)
        at += len(piece)
    out.write(b"".join(pieces))


def _checksum(source: BinaryIO, size: int) -> int:
    """Read, not mapped: what is mapped and touched counts as this process's memory."""
    source.seek(0)
    checksum = 0
    while size > 0:
        piece = source.read(min(size, _PIECE))
        if not piece:
            raise Damaged("it has become shorter")
        checksum, size = crc32(piece, checksum), size - len(piece)
    return checksum


class _Sealed:
    """A file that is written once from its beginning, and the checksum of what was written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self.at, self.checksum = out, 0, 0

    def write(self, data: bytes) -> None:
        self._out.write(data)
        self.at, self.checksum = self.at + len(data), crc32(data, self.checksum)


def _steps(items: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...] | None]:
    """The items, and None after every so many of them."""
    while taken := list(islice(items, _STEP)):
        yield from taken
        yield None


def _groups(shard: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(0, len(shard), _STEP):
        yield shard[start : start + _STEP]
