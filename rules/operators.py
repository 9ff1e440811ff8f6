"""The operators: what each is called, what kinds of field it suits, and how it reads in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from rules.vocabulary import Kind

_EVERY: frozenset[Kind] = frozenset({"text", "number", "boolean", "list", "time", "any"})


@dataclass(frozen=True, slots=True)
class Operator:
    """`words` takes the place of the operator between field and operand; `time_words` where it compares times."""

    name: str
    kinds: frozenset[Kind]
    words: str
    time_words: str = ""


def _for(*kinds: Kind) -> frozenset[Kind]:
    return frozenset({*kinds, "any"})


_TEXT = _for("text")
_ORDERED = _for("number", "time")

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        Operator("equals", _for("text", "number", "boolean"), "is"),
        Operator("not_equals", _for("text", "number", "boolean"), "is not"),
        Operator("in", _for("text", "number", "list"), "is one of"),
        Operator("not_in", _for("text", "number", "list"), "is none of"),
        Operator("contains", _for("text", "list"), "contains"),
        Operator("starts_with", _TEXT, "begins with"),
        Operator("ends_with", _TEXT, "ends with"),
        Operator("matches", _TEXT, "matches"),
        Operator("gt", _ORDERED, "is more than", "is after"),
        Operator("gte", _ORDERED, "is at least", "is not before"),
        Operator("lt", _ORDERED, "is less than", "is before"),
        Operator("lte", _ORDERED, "is at most", "is not after"),
        Operator("between", _ORDERED, "is between", "is between"),
        Operator("exists", _EVERY, "is known"),
        Operator("within_last", _for("time"), "is within the last"),
    )
}

COMPLEMENTS = {"not_equals": "equals", "not_in": "in"}
"""Operators that hold exactly where their opposite does not, also where the field is missing."""

JOINTS = ("all", "any", "not")

MEANT = {
    **dict.fromkeys(("eq", "==", "=", "is", "equal", "equal_to", "value"), "equals"),
    **dict.fromkeys(("ne", "neq", "!=", "<>", "is_not", "not_equal"), "not_equals"),
    **dict.fromkeys(("one_of", "any_of", "is_in", "is_one_of"), "in"),
    **dict.fromkeys(("nin", "none_of", "not_one_of"), "not_in"),
    **dict.fromkeys(("includes", "include", "has", "like", "member"), "contains"),
    **dict.fromkeys(("begins_with", "prefix"), "starts_with"),
    **dict.fromkeys(("suffix",), "ends_with"),
    **dict.fromkeys(("regex", "regexp", "re", "pattern"), "matches"),
    **dict.fromkeys((">", "greater_than", "more_than", "above", "after"), "gt"),
    **dict.fromkeys((">=", "ge", "at_least", "min"), "gte"),
    **dict.fromkeys(("<", "less_than", "below", "before"), "lt"),
    **dict.fromkeys(("<=", "le", "at_most", "max"), "lte"),
    **dict.fromkeys(("range",), "between"),
    **dict.fromkeys(("known", "is_known", "present", "is_set"), "exists"),
    **dict.fromkeys(("within", "last", "since"), "within_last"),
    **dict.fromkeys(("and", "every"), "all"),
    **dict.fromkeys(("or", "some"), "any"),
    **dict.fromkeys(("path", "name", "attribute"), "field"),
}
"""What people write out of habit from elsewhere, and what it is called here."""
