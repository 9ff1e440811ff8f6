"""A changelog that is long is read to disk, a short one to memory, and both come to the same."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streaming.faust import restore as module
from streaming.faust.assignment import Partition
from streaming.faust.cluster import NO_ID
from streaming.faust.restore import Restore
from streaming.faust.spool import Spool

TOPIC, FEW = "t.state", 3
RECORDS: list[tuple[bytes, bytes | None]] = [
    (b"a", b"1"),
    (b"b", b"2"),
    (b"a", b"3"),
    (b"b", None),
    (b"c", b"4"),
    (b"d", b"5"),
    (b"d", None),
    (b"b", b"6"),
]
STATE = {b"a": 3, b"b": 6, b"c": 4}


END = KafkaError._PARTITION_EOF


class Said:
    """What a consumer gives: a record, that the end was reached, or another error."""

    def __init__(self, offset: int, key: bytes | None = None, value: bytes | None = None, code: int = END) -> None:
        self._offset, self._key, self._value, self._code = offset, key, value, code

    def error(self) -> Any:
        return KafkaError(self._code) if self._key is None else None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value


class Reader:
    """Gives the records from where it is told to begin, so many at a time, the end with the last of them.

    `fault`: what it says behind that, once.
    """

    def __init__(self, many: int, fault: Said | None = None) -> None:
        self.many, self.fault, self.at = many, fault, 0

    def assign(self, slots: Any) -> None:
        (slot,) = slots
        self.at = slot.offset

    def consume(self, _: int, __: float) -> list[Said]:
        stop = min(self.at + self.many, len(RECORDS))
        taken = [Said(at, *RECORDS[at]) for at in range(self.at, stop)]
        self.at = stop
        if stop < len(RECORDS):
            return taken
        fault, self.fault = self.fault, None
        return [*taken, Said(stop), *([fault] if fault else [])]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SPOOLING", FEW)


def partition(origin: str = "an id") -> Partition:
    part = Partition(0)
    part.state.origin = origin
    return part


def begun(home: Path, part: Partition, *, many: int = 3, seconds: float = 300.0, fault: Said | None = None) -> Restore:
    settings: Any = SimpleNamespace(
        settle_timeout_seconds=9.0,
        state_folder=lambda changelog: home / "state" / changelog,
        local_state_seconds=seconds,
        changelog_reader=lambda: Reader(many, fault),
    )
    return Restore(settings, TOPIC, int, [part], {0: (0, len(RECORDS))})


def through(restore: Restore) -> None:
    while not restore.done:
        restore.step(0.0)
    restore.close()


@pytest.mark.parametrize("many", [1, 3, 100])
def test_what_is_much_is_read_to_disk(tmp_path: Path, many: int) -> None:
    part = partition()

    through(begun(tmp_path, part, many=many))

    assert isinstance(part.state.below, Spool)
    assert part.state.below.sealed
    assert part.state.recent == {}
    assert part.state.contents() == STATE
    assert part.position == len(RECORDS)


def test_where_no_state_lies_on_disk_all_is_in_memory(tmp_path: Path) -> None:
    part = partition()

    through(begun(tmp_path, part, seconds=0.0))

    assert part.state.recent == STATE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("origin", ["", NO_ID])
def test_where_no_file_will_be_written_there_is_no_spool(tmp_path: Path, origin: str) -> None:
    part = partition(origin)

    through(begun(tmp_path, part))

    assert part.state.recent == STATE


@pytest.mark.parametrize("origin", ["", "an id"])
@pytest.mark.parametrize("many", [3, 100])
def test_an_error_behind_the_end_takes_nothing_back(tmp_path: Path, origin: str, many: int) -> None:
    part = partition(origin)
    fault = Said(0, code=KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaException):
        through(begun(tmp_path, part, many=many, fault=fault))

    through(begun(tmp_path, part))

    assert part.state.contents() == STATE
    assert part.position == len(RECORDS)


def test_a_record_without_a_key_is_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Said, "error", lambda said: KafkaError(END) if said._value is None else None)
    monkeypatch.setattr(f"{__name__}.RECORDS", [(b"a", b"1"), (None, b"2"), (b"b", b"3"), (b"c", b"4")])
    part = partition()

    through(begun(tmp_path, part))

    assert part.state.contents() == {b"a": 1, b"b": 3, b"c": 4}


def test_a_reading_that_was_given_up_is_carried_on_where_it_stood(tmp_path: Path) -> None:
    part = partition()
    begun(tmp_path, part).step(0.0)
    spool = part.state.below
    assert part.position == 3

    through(begun(tmp_path, part))

    assert part.state.below is spool
    assert part.state.contents() == STATE


def test_a_spool_to_which_nothing_is_left_to_read_is_written_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = partition()
    begun(tmp_path, part).step(0.0)
    assert isinstance(part.state.below, Spool)
    assert not part.state.below.sealed
    monkeypatch.setattr(f"{__name__}.RECORDS", RECORDS[:3])

    through(begun(tmp_path, part))

    assert part.state.below.sealed


def test_what_was_read_later_lies_on_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may be reading the spool by then: nothing is written to it any more."""
    part = partition()
    through(begun(tmp_path, part))
    spool = part.state.below
    monkeypatch.setattr(Spool, "take", lambda *_: pytest.fail("written after its end"))
    monkeypatch.setattr(f"{__name__}.RECORDS", [*RECORDS, (b"a", None), (b"e", b"7"), (b"f", b"8"), (b"c", b"9")])

    through(begun(tmp_path, part))

    assert part.state.below is spool
    assert part.state.contents() == {b"b": 6, b"c": 9, b"e": 7, b"f": 8}


def test_a_full_disk_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = partition()
    restore = begun(tmp_path, part)
    restore.step(0.0)
    monkeypatch.setattr(Spool, "take", _full)

    through(restore)

    assert part.state.below is None
    assert part.state.recent == STATE


def test_a_folder_that_cannot_be_made_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder would be")
    part = partition()

    through(begun(tmp_path, part))

    assert part.state.recent == STATE


def test_a_changelog_that_was_cut_under_it_is_read_anew(tmp_path: Path) -> None:
    part = partition()
    begun(tmp_path, part).step(0.0)
    assert isinstance(part.state.below, Spool)
    part.state.below.low = 2
    before = part.state.below

    through(begun(tmp_path, part))

    assert part.state.below is not before
    assert part.state.contents() == STATE


def _full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "no space left on device")
