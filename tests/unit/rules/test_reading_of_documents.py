from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.document import load, parse
from rules.faults import FaultyConfiguration


def refused(content: str | bytes) -> list[str]:
    with pytest.raises(FaultyConfiguration) as raised:
        parse(content, "rules.yaml")
    return [f"{fault.line}: {fault.message} | {fault.mend}" for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("09:00", "09:00"),
        ("9:30", "9:30"),
        ("2026-09-24", "2026-09-24"),
        ("2026-09-24T08:00:00Z", "2026-09-24T08:00:00Z"),
        ("0", 0),
        ("-12", -12),
        ("01067", "01067"),
        ("+49", "+49"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5e-2", -0.015),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("-", "-"),
        ("e5", "e5"),
        (".e5", ".e5"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("9" * 30, "9" * 30),
    ],
)
def test_plain_words_are_read_without_surprises(written: str, expected: object) -> None:
    data = parse(f"key: {written}" if written != "-" else "key: '-'", "rules.yaml").data

    assert {"key": expected} == data
    assert type(expected) is type(data["key"])


def test_keys_are_words_or_whole_numbers() -> None:
    data = parse("on: a\nNO: b\n1: c\n01: d\ntrue: e\n1.5: f", "rules.yaml").data

    assert {"on": "a", "NO": "b", 1: "c", "01": "d", "true": "e", "1.5": "f"} == data


def test_each_value_has_its_line_and_what_is_not_there_that_of_the_nearest_thing_around_it() -> None:
    document = parse("# first\nfit:\n  rules:\n    - id: a\n      when: {field: x}\n    - id: b\n", "rules.yaml")

    assert 2 == document.line(["fit"])
    assert 4 == document.line(["fit", "rules", 0])
    assert 5 == document.line(["fit", "rules", 0, "when", "field"])
    assert 5 == document.line(["fit", "rules", 0, "when", "missing", "too"])
    assert 6 == document.line(("fit", "rules", 1, "id"))
    assert 2 == document.line([])


def test_anchors_and_merged_mappings_are_unfolded() -> None:
    data = parse("base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\nsame: *base", "rules.yaml").data

    assert {"base": {"a": 1, "b": 2}, "own": {"a": 1, "b": 3}, "same": {"a": 1, "b": 2}} == data


def test_a_key_from_a_merge_is_overwritten_also_in_its_line() -> None:
    document = parse("base: &base\n  list: [1, 2, 3]\nown:\n  <<: *base\n  list: [4]", "rules.yaml")

    assert 5 == document.line(["own", "list"])
    assert 5 == document.line(["own", "list", 2])


def test_several_mappings_are_merged_and_the_first_wins() -> None:
    data = parse("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}", "rules.yaml").data

    assert {"x": 1, "y": 2} == data["c"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "0: the file is empty"),
        ("# only a comment\n", "0: the file is empty"),
        ("a: 1\n\tb: 2", "2: a tab stands where YAML wants spaces | Indent with spaces only."),
        ("a: 1\nb: 2\na: 3", "3: the key `a` stands here twice | Keep one of the two (the first is on line 1)."),
        ("a: [1, 2", "1: this is not YAML: expected ',' or ']'"),
        ("a: 'open", "1: this is not YAML: found unexpected end of stream"),
        ("a: b: c", "1: this is not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "2: a second document begins here"),
        ("a: *nobody", "1: found undefined alias 'nobody' | Define the anchor"),
        ("a: &a [*a]", "1: an alias contains itself"),
        ("a: !!python/object:os.system x", "1: the tag `!!python/object:os.system` is not taken here"),
        ("a: !secret x", "1: the tag `!secret` is not taken here"),
        ("? [1, 2]\n: x", "1: this cannot be a key"),
        ("~: x", "1: this cannot be a key"),
        ("a: {<<: 5}", "1: `<<` takes mappings only"),
        (b"a: 1\nb: \xff\xfe", "2: this is not UTF-8"),
        (r'a: "\UFFFFFFFF"', "an escape in quotes stands for no character"),
        (r'a: "\ud800"', "an escape in quotes stands for no character"),
        ("a: \x00", "this is not YAML: special characters are not allowed"),
        ("[" * 100, "1: values are nested deeper than 60 levels"),
        ("- " * 100 + "a", "1: values are nested deeper than 60 levels"),
        (b"a" * 2_000_001, "0: the file is larger than 2,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_line_and_mend(content: str | bytes, expected: str) -> None:
    found = refused(content)

    assert 1 == len(found)
    assert expected in found[0]


def test_aliases_that_unfold_to_billions_are_refused_at_once() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for one, other in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{other}: &{other} [{', '.join([f'*{one}'] * 10)}]\n"

    assert "unfolds to more than 200,000 values" in refused(bomb)[0]


@given(
    st.one_of(
        st.binary(max_size=60), st.text(alphabet="a:- \n\t[]{}&*!|>'\"%@#?,<~\\.019", max_size=60).map(str.encode)
    )
)
@example(b"%YAML 9.9\n---\na")
@example(b"a: |9\n x")
@example(b'"\\x"')
def test_whatever_the_bytes_reading_ends_in_a_document_or_in_faults(content: bytes) -> None:
    told: list[str] = []
    try:
        told.append(parse(content, "rules.yaml").digest)
    except FaultyConfiguration as error:
        told.extend(fault.mend for fault in error.faults)

    assert told
    assert all(told)


def test_a_byte_order_mark_is_looked_past() -> None:
    assert {"a": 1} == parse(b"\xef\xbb\xbfa: 1", "rules.yaml").data


def test_the_digest_changes_with_what_a_file_says_and_with_nothing_else() -> None:
    one = parse("a: 1\nb: [x, y]", "one.yaml")
    same = parse("# comment\nb:\n  - x\n  - 'y'\na: 1\n", "other.yaml")
    turned = parse("a: 1\nb: [y, x]", "one.yaml")
    text = parse("a: '1'\nb: [x, y]", "one.yaml")

    assert one.digest == same.digest
    assert 3 == len({one.digest, turned.digest, text.digest})
    assert 64 == len(one.digest)


def test_a_file_is_loaded_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")

    document = load(path)

    assert ({"a": 1}, str(path)) == (document.data, document.file)


def test_a_missing_file_and_a_directory_are_faults(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfiguration, match="there is no such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(FaultyConfiguration, match="the file cannot be read"):
        load(tmp_path)
