"""Whom a record that could not be processed names, in whatever shape it came. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from services.ingest import contacts
from services.ingest.spellings import plain

_NAMES = frozenset(("email", "phone", "externalid", "anonymousid", "leadid", "eventid", "assignmentid"))


def canonical(text: str) -> str:
    """An identifier as it is compared: addresses and numbers as they are kept, the rest without case."""
    text = text.strip()
    found = contacts.email(text) if "@" in text else contacts.phone(text) if text.startswith("+") else None
    return found or text.lower()


def identifiers(key: bytes | None, value: bytes | None) -> set[str]:
    """Every identifier in a record: its key, and members of its value such as `email`, at any depth."""
    found = {canonical(key.decode(errors="replace"))} if key else set()
    try:
        level = [orjson.loads(value or b"null")]
    except orjson.JSONDecodeError:
        return found
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                found |= {canonical(text) for name, text in one.items() if isinstance(text, str) and _names(name)}
                below += one.values()
            elif isinstance(one, list):
                below += one
        level = below
    return found


def _names(name: str) -> bool:
    return plain(name) in _NAMES
