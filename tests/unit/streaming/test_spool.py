"""A spool holds what a dict would, and gives a state file its records as they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.faust.spool import Spool
from streaming.faust.state_file import Point, StateFile, write
from streaming.faust.state_writer import Job, StateWriter, file_of
from streaming.faust.table import Table
from streaming.memory import MemoryRecord
from streaming.run import run
from streaming.stage import Codec, Stage, StateUnreadable
from tests.waiting import until

POINT = Point("t", "id", 0, 7, 0, 0.0)
CODEC: Codec[Any] = Codec(bytes, bytes)
KEYS = st.binary(min_size=1, max_size=3)
BATCHES = st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=9), max_size=6), max_size=6)
LONG = b"long" * 3_000
"""More than one read asks for."""


def filled(home: Path, *batches: Mapping[bytes, bytes | None]) -> Spool:
    spool = Spool(home, 0)
    for batch in batches:
        spool.take(batch)
    return spool


def contents(spool: Spool) -> dict[bytes, bytes | None]:
    return {key: spool.get(key) for key, _ in spool.places()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BATCHES)
def test_it_holds_what_a_dict_would(tmp_path: Path, batches: list[dict[bytes, bytes | None]]) -> None:
    model: dict[bytes, bytes | None] = {}
    for batch in batches:
        model |= batch
    model = {key: value for key, value in model.items() if value is not None}

    spool = filled(tmp_path, *batches)

    assert contents(spool) == model
    assert spool.keys == len(model)
    assert spool.get(b"none of them") is None


def test_a_file_is_written_from_it(tmp_path: Path) -> None:
    spool = filled(tmp_path, {b"a": b"1", b"b": b"2", b"c": LONG}, {b"a": None, b"b": b"3"})
    path = tmp_path / "0.state"

    with path.open("wb") as out:
        for _ in write(out, POINT, {b"d": b"4"}, spool):
            pass

    file = StateFile(path)
    assert {key: file.get(key) for key, _ in file.places()} == {b"b": b"3", b"c": LONG, b"d": b"4"}


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = filled(tmp_path / "state", {b"a": b"1"})

    assert list((tmp_path / "state").iterdir()) == []
    assert spool.get(b"a") == b"1"


def test_its_file_is_closed_with_it(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    spool = filled(tmp_path, {b"a": b"1"})
    assert psutil.Process().num_fds() == before + 1

    del spool

    assert psutil.Process().num_fds() == before


def test_what_the_disk_did_not_take_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = filled(tmp_path, {b"a": b"1"})
    really = os.pwrite

    def full(file: int, data: bytes, at: int) -> int:
        really(file, bytes(data)[:3], at)
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="no space"):
            spool.take({b"a": b"2", b"b": b"3"})

    assert contents(spool) == {b"a": b"1"}
    spool.take({b"b": b"4"})
    assert contents(spool) == {b"a": b"1", b"b": b"4"}


def test_a_write_in_pieces_is_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: really(file, bytes(data)[:5], at))

    spool = filled(tmp_path, {b"a": b"one", b"b": b"two"})

    assert contents(spool) == {b"a": b"one", b"b": b"two"}


@pytest.mark.parametrize("harm", [b"", b"\0" * 40, None])
def test_what_the_disk_does_not_give_back_is_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Any
) -> None:
    spool = filled(tmp_path, {b"a": b"1", b"long": LONG})

    def failing(*_: Any) -> bytes:
        if harm is None:
            raise OSError(errno.EIO, "input/output error")
        return bytes(harm)

    monkeypatch.setattr(os, "pread", failing)
    for key in (b"a", b"long"):
        with pytest.raises(StateUnreadable):
            spool.get(key)


def test_a_record_of_which_the_end_is_missing_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, really = filled(tmp_path, {b"long": LONG}), os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, at: really(file, min(size, 4_000), at))

    with pytest.raises(StateUnreadable):
        spool.get(b"long")


def test_state_that_cannot_be_read_blames_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table()
    table.rest_on(filled(tmp_path, {b"k": b"1"}), bytes)
    monkeypatch.setattr(os, "pread", lambda *_: b"")
    stage = Stage("s", "in", "s.failed", lambda batch: batch.state.get(b"k"), changelog="s.state", codec=CODEC)
    record = MemoryRecord("in", 0, 0, b"k", b"v", (), 0)

    with pytest.raises(StateUnreadable):
        run(stage, [record], table.view(), now=0.0)


def test_a_spool_that_the_disk_has_lost_becomes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("id")
    table.rest_on(filled(tmp_path, {b"k": b"1"}), bytes)
    job = Job(table, POINT, file_of(tmp_path, 0))

    really = os.fsync

    def lost(file: int) -> None:
        if os.fstat(file).st_nlink == 0:  # the spool has no name
            raise OSError(errno.EIO, "input/output error")
        really(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lost)
        writer = StateWriter([job], CODEC)
        until(lambda: writer.done, 60, "the writer to end")
        writer.take_up()

    assert not file_of(tmp_path, 0).exists()
    assert table.get(b"k") == b"1"
