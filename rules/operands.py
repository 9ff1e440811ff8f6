"""Operands: checked against operator and kind of field once, and made ready to compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal

from rules import durations
from rules.expressions import Expression, NotAnExpression
from rules.values import fold, instant_of, number_of, written_number
from rules.vocabulary import Kind

Sort = Literal["text", "number", "boolean", "members", "range", "instant", "instants", "length", "expression", "flag"]


@dataclass(frozen=True, slots=True)
class Members:
    """The operand of `in`: texts (folded), numbers and booleans apart, since `True == 1` in Python."""

    texts: frozenset[str]
    numbers: frozenset[float]
    booleans: frozenset[bool]


@dataclass(frozen=True, slots=True)
class Operand:
    """What a field is compared with. `value` is ready to compare, `words` is how it reads."""

    sort: Sort
    value: Hashable
    words: str = field(compare=False)


class WrongOperand(Exception):
    """An operand that cannot be used: what is wrong, and the mend."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message, self.mend = message, mend


def operand(operator: str, kind: Kind, written: Any) -> Operand:
    """The operand of `operator` on a field of `kind`. Raises `WrongOperand`."""
    if written is None:
        raise WrongOperand(f"`{operator}` has no value", "Write one; for a field that is missing: `exists: false`.")
    return _READERS[operator](operator, kind, written)


def _show(written: Any) -> str:
    text = str(written).lower() if isinstance(written, bool) else str(written)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _scalar(operator: str, kind: Kind, written: Any) -> str | int | float | bool:
    """One operand: folded text, a number or a boolean, whichever suits the kind."""
    if isinstance(written, list | dict) or written is None:
        mend = "Use `in: [...]` for one of several." if operator in ("equals", "not_equals") else "Write one value."
        raise WrongOperand(f"`{operator}` compares with one value, not with {_shape(written)}", mend)
    if kind == "number":
        return _number(operator, written)
    if kind == "boolean":
        if not isinstance(written, bool):
            raise WrongOperand(f"the field is true or false, not {_show(written)}", "Write `true` or `false`.")
        return written
    if kind == "any" and isinstance(written, bool):
        return written
    if kind == "any" and isinstance(written, int | float):
        return _number(operator, written)
    return _text(operator, written)


def _shape(written: Any) -> str:
    return "a list" if isinstance(written, list) else "a mapping" if isinstance(written, dict) else "nothing"


def _text(operator: str, written: Any) -> str:
    if isinstance(written, list | dict):
        mend = f"Join several with `any: [...]`, one `{operator}` each."
        raise WrongOperand(f"`{operator}` takes one text, not {_shape(written)}", mend)
    if isinstance(written, bool | float):
        shown = _show(written)
        raise WrongOperand(f"`{operator}` compares text here, not {shown}", f"Put it in quotes: '{shown.strip('`')}'.")
    text = fold(str(written))
    if not text or text.isspace():
        mend = "Use `exists: false`: blank counts as missing."
        raise WrongOperand(f"`{operator}` has a blank text to compare with", mend)
    return text


def _number(operator: str, written: Any) -> int | float:
    if isinstance(written, int | float) and not isinstance(written, bool):
        if written != written or written in (float("inf"), float("-inf")):
            raise WrongOperand(f"`{operator}` needs a finite number, not {_show(written)}", "Write a finite number.")
        return written
    near = number_of(str(written).replace("_", "").replace(",", "").replace(" ", "")) if written is not True else None
    mend = "Write a number." if near is None else f"Write {written_number(near)}, without quotes or separators."
    raise WrongOperand(f"`{operator}` needs a number here, not {_show(written)}", mend)


def _instant(operator: str, written: Any) -> float:
    found = instant_of(written) if isinstance(written, str) else None
    if found is None:
        mend = "Write a day (2026-09-24) or a time with its zone (2026-09-24T08:00:00Z)."
        raise WrongOperand(f"`{operator}` needs a time here, not {_show(written)}", mend)
    return found


def _one(operator: str, kind: Kind, written: Any) -> Operand:
    value = _scalar(operator, kind, written)
    if isinstance(value, bool):
        return Operand("boolean", value, "true" if value else "false")
    if isinstance(value, str):
        return Operand("text", value, f"“{written}”")
    return Operand("number", value, written_number(value))


def _members(operator: str, kind: Kind, written: Any) -> Operand:
    if not isinstance(written, list):
        raise WrongOperand(f"`{operator}` needs a list, not {_show(written)}", f"Write `{operator}: [{written}]`.")
    if not written:
        raise WrongOperand(f"the list of `{operator}` is empty", "Write what it may hold, or take the condition out.")
    item_kind: Kind = "text" if kind == "list" else kind
    values = [_scalar(operator, item_kind, item) for item in written]
    members = Members(
        frozenset(value for value in values if isinstance(value, str)),
        frozenset(value for value in values if isinstance(value, int | float) and not isinstance(value, bool)),
        frozenset(value for value in values if isinstance(value, bool)),
    )
    return Operand("members", members, ", ".join(str(item) for item in written))


def _substring(operator: str, kind: Kind, written: Any) -> Operand:
    if kind == "any" and not isinstance(written, str):
        return _one(operator, kind, written)
    return Operand("text", _text(operator, written), f"“{written}”")


def _expression(operator: str, kind: Kind, written: Any) -> Operand:  # noqa: ARG001 one signature for all readers
    if not isinstance(written, str):
        raise WrongOperand(f"`matches` needs a regular expression, not {_show(written)}", "Write it in quotes.")
    try:
        return Operand("expression", Expression(written), f"/{written}/")
    except NotAnExpression as error:
        raise WrongOperand(str(error), error.mend) from None


def _limit(operator: str, kind: Kind, written: Any) -> Operand:
    if kind == "time" or (kind == "any" and isinstance(written, str) and instant_of(written) is not None):
        return Operand("instant", _instant(operator, written), str(written))
    number = _number(operator, written)
    return Operand("number", number, written_number(number))


def _range(operator: str, kind: Kind, written: Any) -> Operand:
    if not isinstance(written, list) or len(written) != 2:
        raise WrongOperand(f"`{operator}` needs two ends, not {_show(written)}", "Write `between: [lowest, highest]`.")
    low, high = (_limit(operator, kind, end) for end in written)
    if low.sort != high.sort:
        raise WrongOperand("`between` has one end that is a time and one that is a number", "Write two of a kind.")
    ends: tuple[Any, Any] = (low.value, high.value)
    if ends[0] > ends[1]:
        mend = f"Write `between: [{high.words}, {low.words}]`."
        raise WrongOperand("`between` has its higher end first: nothing lies between", mend)
    return Operand("range" if low.sort == "number" else "instants", ends, f"{low.words} and {high.words}")


def _flag(operator: str, kind: Kind, written: Any) -> Operand:  # noqa: ARG001 one signature for all readers
    if not isinstance(written, bool):
        raise WrongOperand(f"`exists` is true or false, not {_show(written)}", "Write `exists: true` or `false`.")
    return Operand("flag", written, "")


def _length(operator: str, kind: Kind, written: Any) -> Operand:  # noqa: ARG001 one signature for all readers
    try:
        length = durations.seconds(str(written))
    except ValueError as error:
        raise WrongOperand(f"`within_last`: {error}", durations.MEND) from None
    return Operand("length", length, durations.words(length))


_READERS: dict[str, Callable[[str, Kind, Any], Operand]] = {
    **dict.fromkeys(("equals", "not_equals"), _one),
    **dict.fromkeys(("in", "not_in"), _members),
    "contains": _substring,
    **dict.fromkeys(("starts_with", "ends_with"), lambda name, _, value: _substring(name, "text", value)),
    "matches": _expression,
    **dict.fromkeys(("gt", "gte", "lt", "lte"), _limit),
    "between": _range,
    "exists": _flag,
    "within_last": _length,
}
