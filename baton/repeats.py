"""Keeps libraries from filling the logs with the same words, as while a broker is away."""

from __future__ import annotations

import logging

SECONDS = 30.0
MOST = 1_000
"""Different words that are remembered; more than that were said once in a while, and are let through."""


class Repeats(logging.Filter):
    """Lets through what `libraries` say where they have not said the same within 30 s; then with how often they did."""

    def __init__(self, libraries: tuple[str, ...]) -> None:
        super().__init__()
        self._libraries = frozenset(libraries)
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write `record`; its own time counts."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        words = record.getMessage()
        key = (record.name, record.levelno, words)
        since, withheld = self._said.get(key, (0.0, 0))
        if record.created - since < SECONDS:
            self._said[key] = (since, withheld + 1)
            return False
        self._said.pop(key, None)
        self._said[key] = (record.created, 0)  # the last of the dictionary: those said longest ago are the first
        if len(self._said) > MOST:
            self._said.pop(next(iter(self._said)), None)  # threads may have met here
        if withheld:
            record.msg, record.args = f"{words} (and {withheld} times since it was said last)", ()
        return True
