"""A table, whatever its layers are, reads as a plain dict that took the same writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streaming.faust.spool import Spool
from streaming.faust.state_file import Point, StateFile, write
from streaming.faust.table import Table

POINT = Point("t", "id", 0, 7, 0, 0.0)
WRITES = st.dictionaries(st.sampled_from([b"a", b"b", b"c", b"d"]), st.none() | st.integers(0, 9), max_size=4)


def dumps(number: int) -> bytes:
    return b"%d" % number


class Layers(RuleBasedStateMachine):
    home: Path

    def __init__(self) -> None:
        super().__init__()
        self.table, self.model, self.files = Table("id"), dict[bytes, int](), 0
        self.tail = 0

    @rule(writes=WRITES)
    def take(self, writes: dict[bytes, int | None]) -> None:
        self.table.take(dict(writes))
        for key, value in writes.items():
            self.model.pop(key, None)
            if value is not None:
                self.model[key] = value

    @precondition(lambda self: self.table.frozen is None)
    @rule()
    def freeze(self) -> None:
        self.tail, self.below = self.table.tail, self.table.below
        self.fresh = self.table.freeze()

    @precondition(lambda self: self.table.frozen is not None)
    @rule()
    def settle(self) -> None:
        self.table.settle(self._file(), int)

    @precondition(lambda self: self.table.frozen is not None)
    @rule()
    def thaw(self) -> None:
        tail = self.table.tail
        self.table.thaw(self.tail)
        assert self.table.tail == tail + self.tail

    @precondition(lambda self: self.table.frozen is not None)
    @rule()
    def restart(self) -> None:
        """What is written alone is there again; the rest of the changelog comes on top."""
        rest, file = dict(self.model), self._file()
        self.table = Table("id")
        self.table.rest_on(file, int)
        gone = {key: None for key in self.table.contents() if key not in rest}
        self.table.take({**rest, **gone})

    @precondition(lambda self: self.table.frozen is None)
    @rule()
    def read_anew(self) -> None:
        """All of the changelog goes to a spool."""
        spool = Spool(self.home, 0)
        spool.take({key: dumps(value) for key, value in self.model.items()})
        self.table = Table("id")
        self.table.rest_on(spool, int)
        assert not self.table.on_file

    @precondition(lambda self: isinstance(self.table.below, Spool) and self.table.frozen is None)
    @precondition(lambda self: not self.table.recent)
    @rule()
    def lift(self) -> None:
        self.table.lift()
        assert self.table.flat

    @invariant()
    def equal(self) -> None:
        view = self.table.view()
        for key in (b"a", b"b", b"c", b"d"):
            assert view.get(key) == self.table.get(key) == self.model.get(key)
        assert self.table.contents() == self.model
        assert self.table.size >= len(self.model)

    def _file(self) -> StateFile:
        self.files += 1
        path = self.home / f"{id(self)}-{self.files}"
        with path.open("wb") as out:
            for _ in write(out, POINT, self.fresh, self.below, dumps):
                pass
        return StateFile(path)


def test_a_table_reads_as_a_dict(tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(type("InPlace", (Layers,), {"home": tmp_path}))


def test_a_table_in_one_layer_is_read_as_the_dict_that_it_is() -> None:
    table = Table()
    table.take({b"k": 1})

    assert table.view() is table.recent
    assert table.recent == {b"k": 1}
    table.take({b"k": None})
    assert table.recent == {}


def test_what_is_frozen_is_not_frozen_again() -> None:
    table = Table()
    table.freeze()
    with pytest.raises(AssertionError):
        table.freeze()
