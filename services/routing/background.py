"""Work that a routing worker does beside its stage, in a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Background(ABC):
    """Runs between `start` and `stop`; whoever starts it asks `unwell` now and then."""

    def __init__(self, name: str) -> None:
        self._what = name
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

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
