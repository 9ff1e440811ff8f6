"""Values as conditions see them: text without case, numbers also from text, times, and what counts as missing.

Nothing here raises: what cannot be read as the kind asked for is None.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, TypeGuard
from unicodedata import normalize

_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LISTS = (list, tuple, set, frozenset)
_HOLDERS = (*_LISTS, dict)
_BOOLEANS = {"true": True, "false": False}


def fold(text: str) -> str:
    """`text` as it compares: without case, and with each letter written one way (Unicode NFC)."""
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFC", text).casefold())


def is_missing(value: Any) -> bool:
    """Whether there is nothing: no value, blank text, an empty list or mapping."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, _HOLDERS) and not value


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]]:
    """Whether `value` has members that `contains` and `in` look at."""
    return isinstance(value, _LISTS)


def text_of(value: Any) -> str | None:
    """Text as it is, a number or boolean as it would be written; None for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return written_number(value)
    return None


def number_of(value: Any) -> int | float | None:
    """A number as it is, or one that text holds (`250`, ` 2.5 `); None for booleans and all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if value == value else None
    if isinstance(value, str) and len(value) <= 60:
        text = value.strip()
        if _NUMBER.fullmatch(text):
            number = float(text)
            return int(text) if text.lstrip("+-").isdigit() else number
    return None


def boolean_of(value: Any) -> bool | None:
    """True or false, as such or as text; None for all else."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else None


def instant_of(value: Any) -> float | None:
    """Seconds since the epoch of RFC 3339 text (a day alone is its midnight, UTC) or an aware `datetime`."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > 40:
            return None
        try:
            if _DAY.fullmatch(text):
                day = date.fromisoformat(text)
                return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
            value = datetime.fromisoformat(text)
        except ValueError:
            return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.timestamp()
    return None


def seconds_of(value: Any) -> float | None:
    """The value of a `time` field: seconds since the epoch as they are, else as `instant_of` reads them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if value == value else None
    return instant_of(value)


def written_number(number: float) -> str:
    """`number` without a needless `.0`."""
    if abs(number) < 1e15 and number == int(number):
        return str(int(number))
    return str(number)
