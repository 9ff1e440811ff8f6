"""A thread of a routing worker that ends by a fault takes the process with it."""

import threading

import pytest

from services.routing.background import Background
from tests.waiting import until


class Falling(Background):
    def run(self) -> None:
        raise RuntimeError("a fault that nobody has thought of")


class Ending(Background):
    def run(self) -> None:
        self._stopping.wait(10)


def test_a_fault_that_it_does_not_know_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()
    work = Falling("counter", end=ended.set)
    work.start()
    until(ended.is_set, 10, "the process to end")

    assert "nobody has thought of" in caplog.text
    assert "counter" in work.unwell()


def test_work_that_is_told_to_stop_ends_nothing_else() -> None:
    ended = threading.Event()
    work = Ending("counter", end=ended.set)
    work.start()
    work.stop()

    assert (False, "") == (ended.is_set(), work.unwell())
