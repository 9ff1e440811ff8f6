"""Leaves in their plainest form: which operator must hold on which field, or must not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules.operators import COMPLEMENTS
from rules.tree import Leaf


@dataclass(frozen=True, slots=True)
class Literal:
    """A leaf without its complement: `not_in` that must hold is `in` that must not."""

    path: str
    kind: str
    operator: str
    sort: str
    value: Any
    holds: bool


def literal(leaf: Leaf, *, holds: bool) -> Literal:
    """`leaf`, which must hold or must not."""
    operator, operand = leaf.operator, leaf.operand
    if operator == "exists":
        return Literal(leaf.path, leaf.field.kind, operator, operand.sort, None, holds is operand.value)
    if operator in COMPLEMENTS:
        operator, holds = COMPLEMENTS[operator], not holds
    return Literal(leaf.path, leaf.field.kind, operator, operand.sort, operand.value, holds)
