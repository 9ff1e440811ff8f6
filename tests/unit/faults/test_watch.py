"""The eyes of a fault run, which must not stand still because a client of theirs does."""

import threading
from collections.abc import Iterator

import pytest

from tests.faults import progress
from tests.faults.progress import Look, Watch
from tests.waiting import until


class Seeing(Look):
    def __init__(self) -> None:
        super().__init__("nowhere", "group", "topic", 1)

    def positions(self) -> dict[int, int]:
        return {0: 7}

    def ends(self) -> dict[int, int]:
        return {0: 9}


class Two(Seeing):
    """One partition has 70 records left, the other the ends of transactions at most."""

    def __init__(self) -> None:
        super().__init__()
        self.places = {0: 30, 1: 100}

    def positions(self) -> dict[int, int]:
        return self.places

    def ends(self) -> dict[int, int]:
        return {0: 100, 1: 100 + progress.MARKERS}


class Hanging(Seeing):
    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def positions(self) -> dict[int, int]:
        self.go_on.wait(30)
        return {0: 3}

    def anew(self) -> Look:
        return Seeing()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    look = Hanging()
    yield look
    look.go_on.set()


def test_a_look_that_hangs_is_replaced_by_whoever_asks(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "STUCK_SECONDS", 0.3)
    watch = Watch("a stage", hanging)
    try:
        until(lambda: watch.behind() == {0: 2}, 10, "another look")
        assert watch.replaced >= 1
        hanging.go_on.set()
        assert watch.done() == 7
    finally:
        watch.end()


def test_a_partition_with_work_that_does_not_move_is_named_and_one_without_is_not() -> None:
    watch = Watch("a stage", Two())
    try:
        until(lambda: watch.still(0.5), 10, "the one with work to be named")
        assert watch.still(0.5) == [0]
        assert watch.still(3600) == []
    finally:
        watch.end()


def test_a_partition_that_moves_is_not_named() -> None:
    look = Two()
    watch = Watch("a stage", look)
    try:
        until(lambda: watch.still(0.5), 10, "it to stand still")
        look.places = {0: 40, 1: 100}
        until(lambda: watch.still(0.5) == [], 10, "its move to be seen")
    finally:
        watch.end()
