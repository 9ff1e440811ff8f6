"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, one: str, several: str) -> str:
    """`1 record is`, `1,204 records are`: with the words for one or for several (or none)."""
    return f"{number:,} {one if number == 1 else several}"
