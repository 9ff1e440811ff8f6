"""Durations as people write them: `90s`, `15m`, `4h`, `7d`, `2w`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_WRITTEN = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([smhdw])\s*", re.ASCII)
LONGEST = 100 * 365 * UNITS["d"]

MEND = "Write a number and a unit: 90s, 15m, 4h, 7d or 2w."


def seconds(text: str) -> float:
    """`text` in seconds: above zero, a hundred years at most. Raises `ValueError` that says what is wrong."""
    hit = _WRITTEN.fullmatch(text)
    if hit is None:
        raise ValueError(f"`{text[:40]}` is not a duration")
    length = float(hit[1]) * UNITS[hit[2]]
    if length <= 0:
        raise ValueError(f"`{text}` is no time at all")
    if length > LONGEST:
        raise ValueError(f"`{text}` is longer than a hundred years")
    return length


def words(length: float) -> str:
    """A length in seconds as a person says it: `7 days`, `90 minutes`."""
    for unit in ("w", "d", "h", "m", "s"):
        count = length / UNITS[unit]
        if count >= 1 and count == int(count) and not (unit == "w" and count == 1):
            return f"{int(count)} {_WORDS[unit]}{'' if count == 1 else 's'}"
    return f"{length:g} seconds"


def _validated(value: Any) -> float:
    if not isinstance(value, str):
        raise PydanticCustomError("duration", "`{value}` is not a duration", {"value": str(value)[:40], "mend": MEND})
    try:
        return seconds(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{why}", {"why": str(error), "mend": MEND}) from None


Duration = Annotated[float, BeforeValidator(_validated, json_schema_input_type=str)]
"""A field of a pydantic model that is written as a duration and read as seconds."""
