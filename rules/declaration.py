"""A document as a model, with every fault at once: where its form is wrong, conditions are looked at all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from rules import condition
from rules.document import Document, validated
from rules.faults import Fault, FaultyConfiguration
from rules.vocabulary import Vocabulary

M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]
EACH = "*"
"""In the place of a condition: each member of a list."""


def as_declared(document: Document, model: type[M], conditions: Mapping[Loc, Vocabulary]) -> M:
    """`document` as a `model`, whose conditions are still to be parsed.

    Raises `FaultyConfiguration` where its form is wrong, with the faults of its `conditions` too: where they may
    stand, and what they may speak of.
    """
    try:
        return validated(document, model)
    except FaultyConfiguration as wrong:
        told = {(fault.line, fault.message): fault for fault in (*wrong.faults, *_of(document, conditions))}
        raise FaultyConfiguration(list(told.values())) from None


def _of(document: Document, conditions: Mapping[Loc, Vocabulary]) -> Iterator[Fault]:
    for place, words in conditions.items():
        for loc, data in _found(document.data, place, ()):
            try:
                condition.parse(data, words, document, loc)
            except FaultyConfiguration as faulty:
                yield from faulty.faults


def _found(data: Any, place: Sequence[str | int], loc: Loc) -> Iterator[tuple[Loc, Any]]:
    """Every mapping that stands at `place`; what is something else, the model has told of already."""
    if not place:
        if isinstance(data, dict):
            yield loc, data
    elif place[0] == EACH and isinstance(data, list):
        for index, member in enumerate(data):
            yield from _found(member, place[1:], (*loc, index))
    elif isinstance(data, dict) and place[0] in data:
        yield from _found(data[place[0]], place[1:], (*loc, place[0]))
