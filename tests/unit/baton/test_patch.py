from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.patch import DoesNotApply, Patch, load
from baton.refusal import Refusal


def replacing(path: str, value: Any) -> Patch:
    return Patch([{"op": "replace", "path": path, "value": value}])


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    value = '{"source":"webstie","n":1.10,"big":12345678901234567890,"name":"Zoë","list":[1,2]}'.encode()

    changed = Patch(
        [
            {"op": "test", "path": "/source", "value": "webstie"},
            {"op": "replace", "path": "/source", "value": "website"},
            {"op": "add", "path": "/list/-", "value": 3},
            {"op": "remove", "path": "/n"},
        ]
    ).apply(value)

    assert changed.decode() == '{"source":"website","big":12345678901234567890,"name":"Zoë","list":[1,2,3]}'


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no value"),
        (b"", "no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b"{", "no JSON"),
        (b'{"a": NaN}', "NaN is none"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"b": 1}', "operation 1 of the patch, replace /a, does not apply"),
        (b"[1, 2]", "does not apply"),
        (b"5", "does not apply"),
        (b'"text"', "does not apply"),
        (b"null", "does not apply"),
        (b'{"a": 1, "half": "\\ud800"}', "half of a character"),
        (b'{"a": 1, "huge": 1e999}', "too large"),
    ],
)
def test_what_a_patch_cannot_change_is_said_clearly(value: bytes | None, why: str) -> None:
    with pytest.raises(DoesNotApply, match=why):
        replacing("/a", 2).apply(value)


def test_why_a_patch_does_not_apply_quotes_nothing_of_the_record() -> None:
    with pytest.raises(DoesNotApply) as told:
        replacing("/subject/phone", "x").apply(b'{"subject": {"email": "ada@example.com"}}')

    assert "ada" not in str(told.value)
    assert "/subject/phone" in str(told.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[]",
        "[1]",
        '"add"',
        '[{"op": "zap", "path": "/a"}]',
        '[{"op": "replace", "path": "/a"}]',
        '[{"op": "replace", "value": 1}]',
        '[{"op": "move", "path": "/a"}]',
        '[{"op": "add", "path": "a", "value": 1}]',
        '[{"path": "/a", "value": 1}]',
    ],
)
def test_a_file_that_is_no_patch_is_refused_before_any_record_is_looked_at(text: str, tmp_path: Path) -> None:
    file = tmp_path / "patch.json"
    file.write_text(text)

    with pytest.raises(Refusal, match="RFC 6902"):
        load(file)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[{"op": "move", "from": 5, "path": "/a"}]', "operation 1 of the patch has a `from` that is no path"),
        ('[{"op": "copy", "from": "b", "path": "/a"}]', "operation 1 of the patch is none: Location must start with /"),
        ('[{"op": "add", "path": "/a", "valu": 1}]', "operation 1 of the patch has `valu`; is `value` meant?"),
        ('[{"op": "add", "path": "/a", "value": 1, "valu": 2}]', "has `valu`; is `value` meant?"),
        ('[{"op": "add", "path": "/a", "value": 1, "value": 2}]', "an object has `value` twice"),
        ('[{"op": "remove", "path": ""}]', "operation 1 of the patch removes the whole value"),
        ('[{"op": "move", "from": "/a", "path": "/a/b"}]', "moves something into itself"),
    ],
)
def test_what_could_never_apply_is_a_fault_of_the_patch(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "patch.json"
    file.write_text(text)

    with pytest.raises(Refusal) as told:
        load(file)

    assert fault in told.value.message


def test_members_that_have_no_meaning_are_left_alone() -> None:
    patch = Patch([{"op": "remove", "path": "/a", "comment": "as the RFC has it", "value": 3}])

    assert patch.apply(b'{"a":1,"b":2}') == b'{"b":2}'


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"op": "test", "path": "/b", "value": 1}, "test /b, does not apply: the record has no such path"),
        ({"op": "test", "path": "/a", "value": 2}, "test /a, does not apply: the record has another value there"),
        ({"op": "test", "path": "", "value": 2}, "test the whole value, does not apply: the record has another value"),
        ({"op": "remove", "path": "/x/y"}, "remove /x/y, does not apply: the record has no such path"),
        ({"op": "move", "from": "/b", "path": "/c"}, "move /b to /c, does not apply: the record has no such path"),
        ({"op": "add", "path": "/list/9", "value": 1}, "add /list/9, does not apply: nothing can be put there"),
    ],
)
def test_it_is_said_whether_a_path_is_missing_or_a_test_differed(operation: dict[str, Any], why: str) -> None:
    with pytest.raises(DoesNotApply) as told:
        Patch([operation]).apply(b'{"a":1,"list":[1]}')

    assert why in str(told.value)


def test_a_patch_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot read"):
        load(tmp_path / "nowhere.json")


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"a": text}).encode()))
def test_whatever_a_record_holds_a_patch_changes_it_or_says_why_not(value: bytes) -> None:
    try:
        changed = replacing("/a", 7).apply(value)
    except DoesNotApply:
        return

    assert json.loads(changed)["a"] == 7
