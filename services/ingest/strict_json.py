"""JSON as RFC 8259 and I-JSON (RFC 7493) have it: UTF-8, unique names, finite numbers, and a bounded depth.

orjson refuses bad UTF-8, NaN, Infinity and lone surrogates. It takes the last of two members with one name, so one of
two parties would read another event than the other: that is found here by counting.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from services.ingest.refusal import refused, speakable

MAX_DEPTH = 64
"""Objects and arrays within each other."""

_MARK = b"\xef\xbb\xbf"

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def loads(raw: bytes) -> Any:
    """Parse one JSON text; a byte order mark before it is passed over, as RFC 8259 allows.

    Raises `Refused` (`invalid_json`, or `schema_violation` for what is JSON but not for us).
    """
    raw = raw.removeprefix(_MARK)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refused("invalid_json", "", f"not JSON: {_without_content(error)}", "Send valid JSON in UTF-8") from None
    names = _measure(value)
    if names != _STRING.sub(b"", raw).count(b":"):
        raise refused(
            "invalid_json", _doubled_name(raw), "stands twice in one object", "Give each name of an object once"
        )
    if b"\\u0000" in raw and _has_nul(value):
        raise refused("schema_violation", "", "a text holds the character U+0000", "Remove it")
    return value


def _without_content(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg.split(':')[0]} (line {error.lineno}, column {error.colno})"


def _measure(value: Any) -> int:
    """Number of members of all objects in `value`. Raises `Refused` where it is too deep."""
    names, level, depth = 0, [value], 0
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                names += len(one)
                below.extend(child for child in one.values() if isinstance(child, (dict, list)))
            elif isinstance(one, list):
                below.extend(child for child in one if isinstance(child, (dict, list)))
        level, depth = below, depth + 1
        if depth > MAX_DEPTH + 1:
            raise refused("schema_violation", "", f"nested deeper than {MAX_DEPTH} levels", "Send a flatter object")
    return names


def _doubled_name(raw: bytes) -> str:
    doubled: list[str] = []

    def look(members: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                doubled.append(name)
            seen.add(name)

    json.loads(raw, object_pairs_hook=look)
    return speakable(doubled[0]) if doubled else ""


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(child) for name, child in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
