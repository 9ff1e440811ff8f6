"""What comparisons leave of the number line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.literals import Literal


@dataclass(slots=True)
class _Span:
    """Numbers from `low` to `high`; an end is left out where it is open."""

    low: float = float("-inf")
    high: float = float("inf")
    low_open: bool = False
    high_open: bool = False

    def above(self, limit: float, *, is_open: bool) -> None:
        if limit > self.low or (limit == self.low and is_open):
            self.low, self.low_open = limit, is_open

    def below(self, limit: float, *, is_open: bool) -> None:
        if limit < self.high or (limit == self.high and is_open):
            self.high, self.high_open = limit, is_open

    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def _number_holds(each: Literal, number: float) -> bool:
    match each.operator:
        case "equals":
            return bool(number == each.value)
        case "in":
            return number in each.value.numbers
        case "between":
            return bool(each.value[0] <= number <= each.value[1])
        case "gt":
            return bool(number > each.value)
        case "gte":
            return bool(number >= each.value)
        case "lt":
            return bool(number < each.value)
        case _:
            return bool(number <= each.value)


def numbers_exclude(wanted: Sequence[Literal], unwanted: Sequence[Literal], sorts: set[str]) -> bool:
    """Whether no number meets what `wanted` and `unwanted` say of it in operands of these `sorts`."""

    def of_number(each: Literal) -> bool:
        return each.sort in sorts and each.operator != "contains"

    def of_several(each: Literal) -> bool:
        return each.operator == "in" and each.kind == "number" and "number" in sorts

    asked = [each for each in wanted if of_number(each) or of_several(each)]
    refused = [each for each in unwanted if of_number(each) or of_several(each)]
    if not asked:
        return False
    span = _Span()
    for each in asked:
        if each.operator in ("equals", "in"):
            candidates = {each.value} if each.operator == "equals" else each.value.numbers
            return not any(
                all(_number_holds(other, number) for other in asked)
                and not any(_number_holds(other, number) for other in refused)
                for number in candidates
            )
        _narrow(span, each)
    for each in refused:
        _narrow_by_refused(span, each)
    if span.is_empty():
        return True
    return span.low == span.high and any(_number_holds(each, span.low) for each in refused)


def _narrow(span: _Span, each: Literal) -> None:
    match each.operator:
        case "gt" | "gte":
            span.above(each.value, is_open=each.operator == "gt")
        case "lt" | "lte":
            span.below(each.value, is_open=each.operator == "lt")
        case "between":
            span.above(each.value[0], is_open=False)
            span.below(each.value[1], is_open=False)


def _narrow_by_refused(span: _Span, each: Literal) -> None:
    match each.operator:
        case "gt" | "gte":
            span.below(each.value, is_open=each.operator == "gte")
        case "lt" | "lte":
            span.above(each.value, is_open=each.operator == "lte")
        case "between" if each.value[0] <= span.low <= each.value[1]:
            span.above(each.value[1], is_open=True)
        case "between" if each.value[0] <= span.high <= each.value[1]:
            span.below(each.value[0], is_open=True)
