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
