"""Faults of a file: where, what, and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a configuration file. `line` counts from 1; 0 where it concerns the whole file."""

    file: str
    line: int
    message: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}. {self.mend}"


class FaultyConfiguration(Exception):
    """Configuration that cannot be used; carries every fault that was found, not just the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))
