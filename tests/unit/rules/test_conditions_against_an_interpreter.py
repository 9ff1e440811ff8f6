"""What is compiled gives what a plain reading of the rules gives: an interpreter that knows nothing of `rules`."""

import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.rules.people import KINDS, NOW, condition
from tests.unit.rules.strategies import LENGTHS, conditions, leaves, subjects


def interpreted(data: dict[str, Any], subject: dict[str, Any], now: float) -> bool:
    if "all" in data:
        return all(interpreted(part, subject, now) for part in data["all"])
    if "any" in data:
        return any(interpreted(part, subject, now) for part in data["any"])
    if "not" in data:
        return not interpreted(data["not"], subject, now)
    path = data["field"]
    (operator,) = set(data) - {"field"}
    return leaf(operator, data[operator], KINDS.get(path, "any"), subject.get(path), now)


def leaf(operator: str, operand: Any, kind: str, value: Any, now: float) -> bool:
    if operator == "not_equals":
        return not leaf("equals", operand, kind, value, now)
    if operator == "not_in":
        return not leaf("in", operand, kind, value, now)
    missing = value is None or value == [] or (isinstance(value, str) and value.strip() == "")
    if operator == "exists":
        return operand is not missing
    if missing:
        return False
    if operator == "within_last":
        return bool(now - LENGTHS[operand] <= value <= now)
    if isinstance(value, list):
        wanted = operand if operator == "in" else [operand]
        return operator in ("in", "contains") and any(same(kind, one, item) for one in wanted for item in value)
    if operator == "equals":
        return same(kind, operand, value)
    if operator == "in":
        return any(same(kind, one, value) for one in operand)
    if operator in ("gt", "gte", "lt", "lte", "between"):
        return ordered(operator, operand, value)
    return searched(operator, operand, text(value))


def text(value: Any) -> str:
    return str(value).casefold() if not isinstance(value, float) or value % 1 else str(int(value))


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def same(kind: str, operand: Any, value: Any) -> bool:
    if isinstance(operand, bool):
        return text(value) == text(operand)
    if kind in ("number", "any") and not isinstance(operand, str):
        return number(value) == float(operand)
    return text(value) == text(operand)


def ordered(operator: str, operand: Any, value: Any) -> bool:
    found = number(value)
    if found is None:
        return False
    if operator == "between":
        return bool(operand[0] <= found <= operand[1])
    compared = {"gt": found > operand, "gte": found >= operand, "lt": found < operand, "lte": found <= operand}
    return bool(compared[operator])


def searched(operator: str, operand: Any, value: str) -> bool:
    if operator == "contains":
        return text(operand) in value
    if operator == "starts_with":
        return value.startswith(text(operand))
    if operator == "ends_with":
        return value.endswith(text(operand))
    return re.search(operand, value, re.IGNORECASE) is not None


@given(conditions, subjects)
@settings(max_examples=200, deadline=None)
def test_the_compiled_condition_gives_what_a_plain_reading_gives(data: dict[str, Any], subject: dict[str, Any]) -> None:
    parsed = condition(yaml.safe_dump(data, allow_unicode=True))

    assert interpreted(data, subject, NOW) is parsed.compile()(subject, NOW)


@given(conditions, subjects)
@settings(max_examples=100, deadline=None)
def test_negation_turns_around_and_joints_obey_de_morgan(data: dict[str, Any], subject: dict[str, Any]) -> None:
    held = condition(yaml.safe_dump(data)).compile()(subject, NOW)
    negated = condition(yaml.safe_dump({"not": data})).compile()(subject, NOW)
    twice = condition(yaml.safe_dump({"not": {"not": data}})).compile()(subject, NOW)
    inside = {"any": [{"not": part} for part in data["all"]]} if "all" in data else {"not": data}

    assert (not held, held) == (negated, twice)
    assert condition(yaml.safe_dump(inside)).compile()(subject, NOW) is negated


@given(conditions, subjects)
@settings(max_examples=100, deadline=None)
def test_findings_agree_with_what_is_compiled(data: dict[str, Any], subject: dict[str, Any]) -> None:
    parsed = condition(yaml.safe_dump(data))
    found = iter(parsed.findings(subject, NOW))

    def joined(part: dict[str, Any], *, wanted: bool) -> bool:
        if "all" in part:
            held = [joined(inner, wanted=wanted) for inner in part["all"]]
            return all(held)
        if "any" in part:
            held = [joined(inner, wanted=wanted) for inner in part["any"]]
            return any(held)
        if "not" in part:
            return not joined(part["not"], wanted=not wanted)
        finding = next(found)
        assert (part["field"], subject[part["field"]], wanted) == (finding.field, finding.value, finding.wanted)
        return finding.held

    assert joined(data, wanted=True) is parsed.compile()(subject, NOW)
    assert next(found, None) is None


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@given(leaves, anything)
@settings(max_examples=200, deadline=None)
def test_a_value_of_any_kind_is_answered_with_true_or_false(data: dict[str, Any], value: object) -> None:
    held = condition(yaml.safe_dump(data)).compile()({data["field"]: value}, NOW)

    assert held in (True, False)
    assert isinstance(held, bool)


@given(conditions)
@settings(max_examples=100, deadline=None)
def test_every_condition_has_words_and_names_its_fields(data: dict[str, Any]) -> None:
    parsed = condition(yaml.safe_dump(data))

    assert parsed.words()
    assert {finding.field for finding in parsed.findings({}, NOW)} == parsed.fields()
