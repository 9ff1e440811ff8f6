from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest import strict_json
from services.ingest.refusal import Refused


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nul",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b"\xff\xfe",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": 1, "a": 2}',
        b'[{"a": {"b": 1, "b": ":"}}]',
    ],
)
def test_what_is_not_strict_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        strict_json.loads(raw)

    assert caught.value.reason == "invalid_json"


def test_a_name_that_stands_twice_is_told() -> None:
    with pytest.raises(Refused) as caught:
        strict_json.loads(b'{"email": "a", "x": {"email": "b"}, "email": "c"}')

    assert caught.value.violations[0].field == "email"


def test_a_doubled_name_that_may_be_a_person_s_is_not_repeated() -> None:
    with pytest.raises(Refused) as caught:
        strict_json.loads(b'{"ana@example.com": 1, "ana@example.com": 2}')

    assert "ana" not in str(caught.value)


@pytest.mark.parametrize("depth", [63, 64])
def test_64_levels_are_taken(depth: int) -> None:
    assert strict_json.loads(b"[" * depth + b"]" * depth) is not None


@pytest.mark.parametrize("depth", [66, 500, 1_000])
def test_what_is_nested_deeper_is_refused(depth: int) -> None:
    with pytest.raises(Refused) as caught:
        strict_json.loads(b"[" * depth + b"]" * depth)

    assert caught.value.reason == "schema_violation"
    assert "64" in caught.value.detail


def test_the_character_nul_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        strict_json.loads(b'{"a": "x\\u0000y"}')

    assert "U+0000" in caught.value.detail
    assert strict_json.loads(b'{"a": "x\\\\u0000y"}') == {"a": "x\\u0000y"}


tree = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=20,
).filter(lambda value: "\\u0000" not in json.dumps(value))


@given(tree, st.booleans())
def test_all_that_python_s_own_reader_takes_is_read_as_it_reads_it(value: object, ascii_only: bool) -> None:
    try:
        raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return

    assert json.loads(raw) == strict_json.loads(raw)
