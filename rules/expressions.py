"""Regular expressions in linear time: RE2, without case, anywhere in the text.

Source: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from unicodedata import normalize

import re2

MAX_LENGTH = 1_000
_REMEMBERED = 2_048
_LONGEST_REMEMBERED = 200
_SMALL_PROGRAM = 10_000

_BEYOND = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<": "look-behind",
    "(?>": "an atomic group",
}


class NotAnExpression(Exception):
    """What cannot be compiled; the message says why."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


class Expression:
    """A pattern, compiled once. Two of one pattern are equal."""

    __slots__ = ("pattern", "search")

    pattern: str
    search: Callable[[str], bool]

    def __init__(self, pattern: str) -> None:
        """Raises `NotAnExpression`."""
        self.pattern = pattern
        self.search = _searcher(pattern)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __repr__(self) -> str:
        return f"Expression({self.pattern!r})"


def _searcher(pattern: str) -> Callable[[str], bool]:
    if not pattern:
        raise NotAnExpression("`matches` has an empty expression", "Write one, or use `exists: true`.")
    if len(pattern) > MAX_LENGTH:
        raise NotAnExpression(f"the expression is longer than {MAX_LENGTH:,} characters", "Use `in` or several.")
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    try:
        compiled = re2.compile(_bytes(pattern), options)
    except re2.error as error:
        raise _explained(pattern, error) from None
    if compiled.programsize <= _SMALL_PROGRAM:
        # A set of one answers yes or no five times as fast as a search, which builds a match object. A large one might
        # run out of the automaton's memory, where a search has another way and a set has none.
        alone = re2.Set.SearchSet(options)
        alone.Add(_bytes(pattern))
        alone.Compile()

        def found(text: str) -> bool:
            return bool(alone.Match(_bytes(text)))
    else:

        def found(text: str) -> bool:
            return compiled.search(_bytes(text)) is not None

    remembered = lru_cache(_REMEMBERED)(found)

    def search(text: str) -> bool:
        return remembered(text) if len(text) <= _LONGEST_REMEMBERED else found(text)

    return search


def _bytes(text: str) -> bytes:
    return text.encode() if text.isascii() else normalize("NFC", text).encode("utf-8", "replace")


def _explained(pattern: str, error: Exception) -> NotAnExpression:
    reason = error.args[0] if error.args else b""
    told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    linear = "expressions run in linear time (RE2)"
    if told.startswith("invalid escape sequence: \\") and told[-1:].isdigit():
        return NotAnExpression(f"`{pattern}`: a back-reference ({told[-2:]}) is not taken: {linear}", "Write it out.")
    for opening, name in _BEYOND.items():
        if opening in told:
            mend = "Use a second condition: `not: {…}` beside this one."
            return NotAnExpression(f"`{pattern}`: {name} `{opening}` is not taken: {linear}", mend)
    if "\\Z" in told:
        return NotAnExpression(f"`{pattern}`: {told}", "The end of the text is `\\z` here.")
    if "too large" in told or "repetition size" in told:
        return NotAnExpression(f"`{pattern}`: {told}", "Shorten it, or count with smaller numbers.")
    return NotAnExpression(f"`{pattern}` is not a regular expression: {told}", "Mend it; `\\` makes a sign plain.")
