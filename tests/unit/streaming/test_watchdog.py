from __future__ import annotations

import threading

from streaming.faust.watchdog import Watchdog


def test_a_call_that_outlasts_its_limit_ends_the_process() -> None:
    ended = threading.Event()
    watchdog = Watchdog(ended.set, tick_seconds=0.01)
    watchdog.start()
    with watchdog.limit("a call", 0.02):
        assert ended.wait(5)
    watchdog.close()


def test_a_call_within_its_limit_ends_nothing_and_the_outer_limit_holds_again() -> None:
    ended = threading.Event()
    watchdog = Watchdog(ended.set, tick_seconds=0.01)
    watchdog.start()
    with watchdog.limit("the round", 0.2):
        with watchdog.limit("a call in it", 60):
            pass

        assert ended.wait(5)
    watchdog.close()


def test_nothing_is_watched_after_the_call() -> None:
    ended = threading.Event()
    watchdog = Watchdog(ended.set, tick_seconds=0.01)
    watchdog.start()
    with watchdog.limit("a call", 0.05):
        pass

    assert not ended.wait(0.2)
    watchdog.close()
