"""Whether leaves that must hold, or must not, on one field exclude each other. What is claimed is certain.

Each operator is a predicate on one reading of the value (its text, its number, its time, its members), which is None
where the value has no such reading. All predicates are false on None, so leaves that must not hold exclude each other
only beside one that must.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.literals import Literal
from rules.operands import Members
from rules.spans import numbers_exclude


def exclude_each_other(literals: Sequence[Literal]) -> bool:
    """Whether no value can satisfy all `literals`, which are of one field. False where that is not certain."""
    wanted = [each for each in literals if each.holds]
    unwanted = [each for each in literals if not each.holds]
    if any(_implies(one, other) for one in wanted for other in unwanted):
        return True
    return (
        _texts_exclude(wanted, unwanted)
        or numbers_exclude(wanted, unwanted, {"number", "range"})
        or numbers_exclude(wanted, unwanted, {"instant", "instants"})
        or _members_exclude(wanted, unwanted)
        or len({each.value for each in wanted if each.sort == "boolean" and each.operator == "equals"}) > 1
    )


def _implies(one: Literal, other: Literal) -> bool:
    """Whether `one`, holding, makes `other` hold."""
    if other.operator == "exists":
        return True  # every operator is false on what is missing
    if (one.operator, one.sort, one.value) == (other.operator, other.sort, other.value):
        return True
    if one.operator == other.operator == "within_last":
        return bool(one.value <= other.value)
    if one.sort == other.sort == "text" and _reads_text(one) and _reads_text(other):
        return _text_implies(one, other)
    return False


def _reads_text(each: Literal) -> bool:
    """Whether it looks at the value's text: `contains` on an open field may look at a list's members."""
    return each.operator in ("equals", "starts_with", "ends_with") or (
        each.operator == "contains" and each.kind == "text"
    )


def _text_implies(one: Literal, other: Literal) -> bool:
    given, asked = one.value, other.value
    match one.operator, other.operator:
        case "equals", _:
            return _text_holds(other, given)
        case ("starts_with", "starts_with"):
            return bool(given.startswith(asked))
        case ("ends_with", "ends_with"):
            return bool(given.endswith(asked))
        case ("starts_with" | "ends_with" | "contains", "contains"):
            return asked in given
        case _:
            return False


def _text_holds(each: Literal, text: str) -> bool:
    match each.operator:
        case "equals":
            return bool(text == each.value)
        case "in":
            return text in each.value.texts
        case "starts_with":
            return text.startswith(each.value)
        case "ends_with":
            return text.endswith(each.value)
        case _:
            return each.value in text


def _texts_exclude(wanted: Sequence[Literal], unwanted: Sequence[Literal]) -> bool:
    def of_text(each: Literal) -> bool:
        return (each.sort == "text" and _reads_text(each)) or (each.operator == "in" and each.kind == "text")

    asked = [each for each in wanted if of_text(each)]
    refused = [each for each in unwanted if of_text(each)]
    for each in asked:
        if each.operator not in ("equals", "in"):
            continue
        candidates = {each.value} if each.operator == "equals" else each.value.texts
        return not any(
            all(_text_holds(other, text) for other in asked) and not any(_text_holds(other, text) for other in refused)
            for text in candidates
        )
    starts = [each.value for each in asked if each.operator == "starts_with"]
    ends = [each.value for each in asked if each.operator == "ends_with"]
    return any(not (a.startswith(b) or b.startswith(a)) for a in starts for b in starts) or any(
        not (a.endswith(b) or b.endswith(a)) for a in ends for b in ends
    )


def _members_exclude(wanted: Sequence[Literal], unwanted: Sequence[Literal]) -> bool:
    """On a list: it must have one of these, and must not have any of those."""

    def texts(each: Literal) -> frozenset[str]:
        if each.kind != "list":
            return frozenset()
        return each.value.texts if isinstance(each.value, Members) else frozenset({each.value})

    refused: frozenset[str] = frozenset().union(*(texts(each) for each in unwanted if each.operator != "exists"))
    return any(texts(each) and texts(each) <= refused for each in wanted if each.operator != "exists")
