"""Ends the process when a call outlasts its limit, whatever an orderly stop would do.

A transactional call of librdkafka has been seen to hang past its own timeout after a broker's crash; a thread that
hangs in C cannot be stopped, so the process goes, and its supervisor starts it again.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

EXIT_HUNG = 70
"""EX_SOFTWARE of sysexits.h."""

log = logging.getLogger(__name__)


def end_process() -> None:
    """End it at once: nothing is flushed, closed or committed."""
    logging.shutdown()
    os._exit(EXIT_HUNG)


def work_or_end(what: str, work: Callable[[], None], end: Callable[[], None] = end_process) -> None:
    """Do a thread's work. Where it falls by a fault that it does not know, the process ends, with the reason.

    Its supervisor starts it again then; a process that stayed would stand there as if all were well.
    """
    try:
        work()
    except Exception:
        log.critical("the %s has ended, and the process with it", what, exc_info=True)
        end()


class Watchdog:
    """Watches one call at a time, in a thread of its own."""

    def __init__(self, end: Callable[[], None] = end_process, tick_seconds: float = 1.0) -> None:
        self._end, self._tick = end, tick_seconds
        self._watched: tuple[float, str] | None = None
        self._patient_until = math.inf
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()

    def hurry(self, seconds: float) -> None:
        """The process is to end: nothing that fails is tried again once `seconds` are over."""
        self._patient_until = monotonic() + seconds

    @property
    def hurried(self) -> bool:
        """Whether nothing is to be tried again."""
        return monotonic() > self._patient_until

    @contextmanager
    def limit(self, what: str, seconds: float) -> Iterator[None]:
        """End the process when the block takes longer. Inside another one, the outer limit holds again afterwards."""
        before, self._watched = self._watched, (monotonic() + seconds, what)
        try:
            yield
        finally:
            self._watched = before

    def _watch(self) -> None:
        while not self._closed.wait(self._tick):
            watched = self._watched
            if watched is not None and monotonic() > watched[0]:
                log.critical("%s hangs: the process ends", watched[1])
                self._end()
                return
