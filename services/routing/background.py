"""Work that a routing worker does beside its stage, in a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from streaming.faust.watchdog import end_process, work_or_end


class Background(ABC):
    """Runs between `start` and `stop`. Where the work falls, so does the process; `end` is for tests."""

    def __init__(self, name: str, end: Callable[[], None] = end_process) -> None:
        self._what, self._end = name, end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    @abstractmethod
    def run(self) -> None:
        """Work until `_stopping` is set; faults that pass are waited out here."""

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """End after what is in hand; waits up to `timeout` seconds."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def unwell(self) -> str:
        """Why the process ought to be started again; empty where it need not be."""
        dead = self._thread.ident is not None and not self._thread.is_alive() and not self._stopping.is_set()
        return f"the thread of the {self._what} has ended" if dead else ""

    def _main(self) -> None:
        work_or_end(self._what, self.run, self._end)
