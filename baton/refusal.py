"""How a command says no: one clear line and the mend, never a traceback."""

from __future__ import annotations

NO, WRONG_USE = 1, 2
"""Exit codes: the answer is no; wrong use or configuration."""
READER_GONE = 141
"""The same, of a command whose output nobody reads to its end: as a shell says it of SIGPIPE (128 + 13)."""


class Refusal(Exception):
    """A command cannot do what was asked. `mend` says what to do about it."""

    def __init__(self, message: str, mend: str = "", code: int = WRONG_USE) -> None:
        super().__init__(message)
        self.message, self.mend, self.code = message, mend, code

    def __str__(self) -> str:
        return f"{self.message}. {self.mend}" if self.mend else self.message
