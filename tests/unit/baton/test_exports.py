"""`baton failed export` leaves a file as it was until all of the new one is there."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from baton import failed, replays
from baton.cli import app
from baton.refusal import Refusal


@pytest.fixture
def nothing_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation without a broker, whose failed topics are empty."""
    monkeypatch.setenv("BATON_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(replays, "known", lambda _: replays.Replays())
    monkeypatch.setattr(failed, "standing", lambda *_: {})
    monkeypatch.setattr(failed, "records", lambda *_: iter(()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "kept" / "failed.jsonl"
    file.parent.mkdir()
    file.write_text("of yesterday\n")
    return file


def export(*arguments: str, force: bool = True) -> Any:
    return CliRunner().invoke(app, ["failed", "export", *(["--force"] if force else []), *arguments])


@pytest.fixture
def one_failed(nothing_failed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, where one record failed."""
    one = failed.FailedRecord("ingest-0-0", "ingest", "no_key", "", "t", 0, 0, "", 0, "", b"k", b"v", ())
    monkeypatch.setattr(failed, "records", lambda *_: iter([one]))


@pytest.mark.parametrize("wrong", [("--since", "yesterday"), ("--stage", "sales")])
def test_a_refused_export_leaves_the_file_as_it_was(nothing_failed: None, file: Path, wrong: tuple[str, str]) -> None:
    result = export(str(file), *wrong)

    assert result.exit_code == 2
    assert file.read_text() == "of yesterday\n"


def test_an_export_that_is_cut_off_leaves_the_file_as_it_was(
    nothing_failed: None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: Any) -> Iterator[Any]:
        raise Refusal("the broker has stopped answering")

    monkeypatch.setattr(failed, "records", cut_off)

    assert export(str(file)).exit_code == 2
    assert file.read_text() == "of yesterday\n"
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def in_a_child(*arguments: str) -> int | None:
    """Its exit code; minus a signal's number where that ended it without a word."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(export(*arguments).exit_code))
    child.start()
    child.join(30)
    return child.exitcode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_export_that_is_ended_leaves_nothing_behind(
    nothing_failed: None, file: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any) -> Iterator[Any]:
        os.kill(os.getpid(), number)
        yield from ()

    monkeypatch.setattr(failed, "records", ended)
    before = signal.signal(number, signal.SIG_DFL)  # under nohup it is ignored, by the child as well
    try:
        code = in_a_child(str(file))
    finally:
        signal.signal(number, before)

    assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert file.read_text() == "of yesterday\n"
    assert code == 128 + number


def test_an_export_under_nohup_outlives_its_terminal(
    nothing_failed: None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hung_up(*_: Any) -> Iterator[Any]:
        os.kill(os.getpid(), signal.SIGHUP)
        yield from ()

    monkeypatch.setattr(failed, "records", hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert (in_a_child(str(file)), file.read_bytes()) == (0, b"")
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", ["new.jsonl", "ü" * 120 + ".jsonl"])
def test_an_export_is_its_owners_alone_and_until_it_is_whole_says_whose_it_is(
    nothing_failed: None, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, drafts = tmp_path / name, []

    def seen(*_: Any) -> Iterator[Any]:
        [draft] = [one for one in tmp_path.iterdir() if one.is_file()]
        drafts.append((draft.name, draft.stat().st_mode & 0o777))
        yield from ()

    monkeypatch.setattr(failed, "records", seen)
    before = os.umask(0o027)
    try:
        assert export(str(file)).exit_code == 0
    finally:
        os.umask(before)

    [(draft, mode)] = drafts
    assert mode == 0o600
    assert draft.startswith(f".{name[:9]}")
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_export_takes_the_place_of_a_file_with_its_mode_and_links_to_it(nothing_failed: None, file: Path) -> None:
    link = file.with_name("latest.jsonl")
    link.symlink_to(file)
    file.chmod(0o640)
    before = file.stat().st_ino

    assert export(str(link)).exit_code == 0
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"", 0o640)
    assert link.is_symlink()
    assert file.stat().st_ino != before
    assert len(list(file.parent.iterdir())) == 2


def test_a_file_that_is_there_is_replaced_by_force_alone(one_failed: None, file: Path) -> None:
    refused = export(str(file), force=False)
    before = file.read_text()
    replaced = export(str(file))

    assert (refused.exit_code, before) == (2, "of yesterday\n")
    assert refused.output == f"baton: {file} is there already. Give another file, or --force to replace it\n"
    assert (replaced.exit_code, json.loads(file.read_bytes())["id"]) == (0, "ingest-0-0")


def test_what_is_no_file_needs_no_force(nothing_failed: None) -> None:
    assert export(os.devnull, force=False).exit_code == 0


def test_nothing_takes_the_place_of_a_device(nothing_failed: None) -> None:
    assert export(os.devnull).exit_code == 0
    assert Path(os.devnull).is_char_device()


def test_a_pipe_by_its_name_takes_an_export(one_failed: None) -> None:
    ours, theirs = os.pipe()
    try:
        result = export(f"/dev/fd/{theirs}")
        os.close(theirs)
        assert result.exit_code == 0, result.output
        assert json.loads(os.read(ours, 4096))["id"] == "ingest-0-0"
    finally:
        os.close(ours)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_standard_output_by_its_name_holds_records_alone(one_failed: None, name: str) -> None:
    assert export(name).output == export().output


def test_a_dash_is_standard_output(nothing_failed: None, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)

    assert (export("-").output, export().output) == ("", "")
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(("file", "mend"), [("/nope/x", "folder that is there"), ("/dev/full", "make room")])
def test_the_mend_fits_why_a_file_cannot_be_written(one_failed: None, file: str, mend: str) -> None:
    result = export(file)

    assert result.exit_code == 2
    assert mend in result.output


@pytest.mark.parametrize("where", ["file", "-"])
def test_what_cannot_be_read_is_not_said_of_the_file(
    nothing_failed: None, file: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[Any]:
        yield from ()
        raise OSError("a client's socket")

    monkeypatch.setattr(failed, "records", broken)
    result = export(where.replace("file", str(file)))

    assert (repr(result.exception), result.output) == ('OSError("a client\'s socket")', "")
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_what_is_written_at_the_end_alone_is_refused_as_well(
    one_failed: None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = export(str(file))

    assert (result.exit_code, file.read_text()) == (2, "of yesterday\n")
    assert result.output.startswith(f"baton: cannot write {file}: No space left on device. ")


def test_a_link_that_leads_to_itself_is_refused_in_a_line(nothing_failed: None, file: Path) -> None:
    ring = file.with_name("ring")
    ring.symlink_to(ring)
    result = export(str(ring))

    assert result.exit_code == 2
    assert result.output.startswith(f"baton: cannot write {ring}: Too many levels of symbolic links. ")
