from __future__ import annotations

import io
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.faust.state_file import Damaged, Point, StateFile, write

POINT = Point("scoring.state", "an-id", 3, 4_711, 12, 1_700_000_000.5)
KEYS = st.binary(max_size=40)
VALUES = st.binary(max_size=60)
Layer: TypeAlias = dict[bytes, bytes | None]
LAYER = st.dictionaries(KEYS, st.none() | VALUES, max_size=60)


def written(path: Path, fresh: Layer, below: StateFile | None = None) -> Path:
    out = io.BytesIO()
    for _ in write(out, POINT, fresh, below):
        pass
    path.write_bytes(out.getvalue())
    return path


def contents(file: StateFile) -> dict[bytes, bytes | None]:
    return {key: file.get(key) for key, _ in file.places()}


@given(lower=LAYER, upper=LAYER, absent=KEYS)
def test_a_file_holds_what_was_written_on_top_of_another(
    tmp_path_factory: pytest.TempPathFactory, lower: Layer, upper: Layer, absent: bytes
) -> None:
    home = tmp_path_factory.mktemp("files")
    below = StateFile(written(home / "lower", lower))
    file = StateFile(written(home / "upper", upper, below))
    expected = {key: value for key, value in {**lower, **upper}.items() if value is not None}

    assert contents(below) == {key: value for key, value in lower.items() if value is not None}
    assert contents(file) == expected
    assert file.keys == len(expected)
    assert file.point == POINT
    assert file.get(absent) == expected.get(absent)


def test_many_records_are_found_again(tmp_path: Path) -> None:
    values: dict[bytes, bytes | None] = {b"key %d" % n: b"value %d" % n for n in range(20_000)}
    file = StateFile(written(tmp_path / "file", values))

    assert contents(file) == values
    assert file.get(b"key 20000") is None


def test_each_damaged_byte_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "file", {b"a": b"1", b"key": b"value", b"c": b""})
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(Damaged):
            StateFile(path)


def test_a_file_that_was_cut_off_or_grew_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "file", {b"a": b"1", b"key": b"value"})
    whole = path.read_bytes()
    for other in [*(whole[:size] for size in range(len(whole))), whole + b"\0", b"\0" + whole]:
        path.write_bytes(other)
        with pytest.raises(Damaged):
            StateFile(path)


@settings(max_examples=20)
@given(count=st.integers(0, 3_000))
def test_writing_pauses_often(count: int) -> None:
    steps = sum(1 for _ in write(io.BytesIO(), POINT, {b"%d" % n: b"" for n in range(count)}))

    assert steps >= count / 500
