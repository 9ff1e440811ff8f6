from pathlib import Path

from baton.embedded import child
from baton.embedded.child import spawn


def said(log: Path, word: str) -> None:
    assert spawn(["echo", word], log=log).wait(20) == 0


def test_a_large_log_is_put_aside_when_its_process_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "ingest-1.log"
    said(log, "first")
    with log.open("ab") as grown:
        grown.truncate(child.LOG_BYTES + 1)
    said(log, "second")

    assert log.read_text() == "second\n"
    assert log.with_name("ingest-1.log.1").stat().st_size == child.LOG_BYTES + 1

    with log.open("ab") as grown:
        grown.truncate(child.LOG_BYTES + 1)
    said(log, "third")

    assert log.read_text() == "third\n"
    assert sorted(path.name for path in log.parent.iterdir()) == ["ingest-1.log", "ingest-1.log.1"]


def test_a_small_log_goes_on(tmp_path: Path) -> None:
    said(tmp_path / "a.log", "first")
    said(tmp_path / "a.log", "second")

    assert (tmp_path / "a.log").read_text() == "first\nsecond\n"
