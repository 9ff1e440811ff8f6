from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streaming.faust.state_file import Point, StateFile
from streaming.faust.state_writer import Job, StateWriter, file_of, sweep
from streaming.faust.table import Table
from streaming.stage import Codec
from tests.waiting import until

CODEC: Codec[Any] = Codec(bytes, bytes)
ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from tests.unit.streaming.test_state_writer import CODEC, job
from streaming.faust.state_writer import StateWriter
writer = StateWriter([job(Path(sys.argv[1]), 200_000, b"newer")], CODEC)
print("writing", flush=True)
sys.stdin.read()
"""


def job(folder: Path, keys: int, word: bytes) -> Job:
    table = Table("id")
    table.take({b"%d" % n: word for n in range(keys)})
    return Job(table, Point("t", "id", 0, keys, 0, 0.0), file_of(folder, 0))


def finished(writer: StateWriter) -> None:
    until(lambda: writer.done, 60, "the file to be written")
    writer.take_up()


def test_the_table_rests_on_what_was_written(tmp_path: Path) -> None:
    one = job(tmp_path / "not there yet", 1_000, b"value")
    finished(StateWriter([one], CODEC))

    assert one.table.below is not None
    assert one.table.recent == {}
    assert one.table.get(b"7") == b"value"
    assert one.path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_stays_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    one = job(tmp_path / "file", 1_000, b"value")
    one.table.take({b"7": b"newer"})
    finished(StateWriter([one], CODEC))

    assert one.table.flat
    assert (one.table.get(b"7"), one.table.get(b"8"), one.table.tail) == (b"newer", b"value", 1_001)
    assert "was not written" in caplog.text


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    jobs = [job(tmp_path, 300_000, b"value") for _ in range(2)]
    writer = StateWriter(jobs, CODEC)
    writer.hurry(0.0)
    writer.take_up()

    assert all(one.table.flat and one.table.get(b"7") == b"value" for one in jobs)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_was_forgotten_meanwhile_is_left_alone(tmp_path: Path) -> None:
    one = job(tmp_path, 1_000, b"value")
    writer = StateWriter([one], CODEC)
    one.table.frozen = None
    finished(writer)

    assert one.table.below is None


def test_a_kill_while_writing_leaves_the_file_before_it_whole(tmp_path: Path) -> None:
    finished(StateWriter([job(tmp_path, 1_000, b"value")], CODEC))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        until(lambda: list(tmp_path.glob("*.part")), 60, "it to write", every=0.005)
    finally:
        process.kill()
        process.communicate()

    assert len(list(tmp_path.glob("*.part"))) == 1
    assert StateFile(file_of(tmp_path, 0)).get(b"7") == b"value"
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["0.state"]


def test_what_a_living_process_writes_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / f"0.{os.getpid()}.part").touch()
    sweep(tmp_path)

    assert len(list(tmp_path.iterdir())) == 1
