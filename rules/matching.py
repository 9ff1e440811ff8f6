"""The test of one leaf: from the value's getter, the operator and its operand to a plain function."""

from __future__ import annotations

import operator as compare
from collections.abc import Callable
from typing import Any, cast

from rules.operands import Members, Operand
from rules.operators import COMPLEMENTS
from rules.values import boolean_of, fold, instant_of, is_list, is_missing, number_of, seconds_of, text_of
from rules.vocabulary import Kind

Get = Callable[[Any], Any]
Test = Callable[[Any, float], bool]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": compare.gt, "gte": compare.ge, "lt": compare.lt, "lte": compare.le,
}  # fmt: skip


def test_of(operator: str, kind: Kind, operand: Operand, get: Get) -> Test:
    """A function of the subject and of now (seconds since the epoch). It never raises for a value of the wrong kind."""
    if operator in COMPLEMENTS:
        opposite = test_of(COMPLEMENTS[operator], kind, operand, get)
        return lambda subject, now: not opposite(subject, now)
    value: Any = operand.value
    match operator:
        case "equals":
            return _equals(operand, get)
        case "in":
            return _among_texts(value, get) if kind == "text" else _among(value, get)
        case "contains":
            return _contains(kind, operand, get)
        case "starts_with":
            return _on_text(get, lambda text: text.startswith(value))
        case "ends_with":
            return _on_text(get, lambda text: text.endswith(value))
        case "matches":
            return _matches(value.search, get)
        case "exists":
            present = _exists(get)
            return present if value else lambda subject, now: not present(subject, now)
        case "within_last":
            return _within_last(kind, value, get)
        case "between":
            return _between(kind, operand, get)
        case _:
            return _ordered(operator, kind, operand, get)


def _on_text(get: Get, holds: Callable[[str], bool]) -> Test:
    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is not str:
            value = text_of(value)
            if value is None:
                return False
        return holds(value.lower() if value.isascii() else fold(value))

    return test


def _equals(operand: Operand, get: Get) -> Test:
    wanted = operand.value
    if operand.sort == "boolean":
        return lambda subject, _now: boolean_of(get(subject)) is wanted
    if operand.sort == "number":
        return _on_number(get, lambda number: bool(number == wanted))

    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is not str:
            value = text_of(value)
            if value is None:
                return False
        return bool((value.lower() if value.isascii() else fold(value)) == wanted)

    return test


def _among_texts(members: Members, get: Get) -> Test:
    texts = members.texts

    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is not str:
            value = text_of(value)
            if value is None:
                return False
        return (value.lower() if value.isascii() else fold(value)) in texts

    return test


def _is_member(value: Any, members: Members) -> bool:
    text = text_of(value)
    if text is None:
        return False
    return (
        fold(text) in members.texts
        or (bool(members.numbers) and number_of(value) in members.numbers)
        or (bool(members.booleans) and boolean_of(value) in members.booleans)
    )


def _among(members: Members, get: Get) -> Test:
    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if is_list(value):
            return any(_is_member(item, members) for item in value)
        return _is_member(value, members)

    return test


def _contains(kind: Kind, operand: Operand, get: Get) -> Test:
    wanted = text_of(operand.value) or ""
    if kind == "text":
        return _on_text(get, lambda text: wanted in text)
    members = _only(operand)

    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if not value:
            return False
        if is_list(value):
            for item in value:
                if item.__class__ is str and (item.lower() if item.isascii() else fold(item)) == wanted:
                    return True
            return any(_is_member(item, members) for item in value)
        text = text_of(value) if kind == "any" else None
        return text is not None and wanted in fold(text)

    return test


def _only(operand: Operand) -> Members:
    none: frozenset[Any] = frozenset()
    one: frozenset[Any] = frozenset({operand.value})
    match operand.sort:
        case "number":
            return Members(none, one, none)
        case "boolean":
            return Members(none, none, one)
        case _:
            return Members(one, none, none)


def _matches(search: Callable[[str], bool], get: Get) -> Test:
    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is not str:
            value = text_of(value)
            if value is None:
                return False
        return search(value) and not is_missing(value)

    return test


def _exists(get: Get) -> Test:
    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is str:
            return not (value == "" or value.isspace())
        return not is_missing(value)

    return test


def _on_number(get: Get, holds: Callable[[Any], bool]) -> Test:
    def test(subject: Any, _now: float) -> bool:
        value = get(subject)
        if value.__class__ is not float and value.__class__ is not int:
            value = number_of(value)
            if value is None:
                return False
        return holds(value)

    return test


def _ordered(operator: str, kind: Kind, operand: Operand, get: Get) -> Test:
    limit: Any = operand.value
    order = _ORDER[operator]
    if operand.sort == "number":
        return _on_number(get, lambda number: order(number, limit))
    read = seconds_of if kind == "time" else instant_of

    def test(subject: Any, _now: float) -> bool:
        at = read(get(subject))
        return at is not None and order(at, limit)

    return test


def _between(kind: Kind, operand: Operand, get: Get) -> Test:
    low, high = cast("tuple[Any, Any]", operand.value)
    if operand.sort == "range":
        return _on_number(get, lambda number: bool(low <= number <= high))
    read = seconds_of if kind == "time" else instant_of

    def test(subject: Any, _now: float) -> bool:
        at = read(get(subject))
        return at is not None and bool(low <= at <= high)

    return test


def _within_last(kind: Kind, length: float, get: Get) -> Test:
    read = seconds_of if kind == "time" else instant_of

    def test(subject: Any, now: float) -> bool:
        at = read(get(subject))
        return at is not None and 0 <= now - at <= length

    return test
