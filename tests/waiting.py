"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | Literal[False] | None], seconds: float, what: str, every: float = 0.05) -> T:
    """The first true value of `condition`, which is asked every `every` seconds.

    Raises `TimeoutError`, naming `what` was waited for and the last value, when `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}; the last answer was {value!r}")
        time.sleep(every)
