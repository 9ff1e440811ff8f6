"""Ctrl-C and SIGTERM: the first asks for an orderly stop, the second for a quick one."""

from __future__ import annotations

import signal
from types import FrameType


class Stopping:
    """Counts the signals that ask to stop."""

    def __init__(self) -> None:
        self._asked = 0

    def listen(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP from now on."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def asked(self) -> bool:
        """Whether to stop."""
        return self._asked > 0

    def hurry(self) -> bool:
        """Whether to stop at once."""
        return self._asked > 1

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1
