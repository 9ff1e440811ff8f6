import pytest

from tests.unit.rules.people import DAY, NOW, condition, holds

TITLE = "Senior Director Sales"


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ("equals: senior DIRECTOR sales", True),
        ("equals: director", False),
        ("not_equals: director", True),
        ("not_equals: SENIOR director sales", False),
        ("in: [CEO, senior director SALES]", True),
        ("in: [CEO, director]", False),
        ("not_in: [CEO, director]", True),
        ("not_in: [Senior Director Sales]", False),
        ("contains: DIRECT", True),
        ("contains: vp", False),
        ("starts_with: senior", True),
        ("starts_with: director", False),
        ("ends_with: SALES", True),
        ("ends_with: senior", False),
        (r"matches: '\bdirector\b'", True),
        (r"matches: '^director'", False),
        (r"matches: 'DIRECTOR'", True),
        ("exists: true", True),
        ("exists: false", False),
    ],
)
def test_text_compares_without_case(operand: str, expected: bool) -> None:
    actual = holds(f"{{field: person.job_title, {operand}}}", job_title=TITLE)

    assert expected is actual


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("equals: 250", 250, True),
        ("equals: 250", 250.0, True),
        ("equals: 250", 251, False),
        ("not_equals: 250", 251, True),
        ("in: [10, 250]", 250, True),
        ("in: [10, 250]", 11, False),
        ("not_in: [10, 250]", 11, True),
        ("gt: 250", 250, False),
        ("gt: 250", 250.5, True),
        ("gte: 250", 250, True),
        ("lt: 250", 250, False),
        ("lt: 250", 249, True),
        ("lte: 250", 250, True),
        ("between: [10, 20]", 10, True),
        ("between: [10, 20]", 20, True),
        ("between: [10, 20]", 21, False),
        ("between: [10, 20]", 9.99, False),
        ("exists: true", 0, True),
        ("equals: 250", " 250 ", True),
        ("gt: 9", "10", True),
        ("gt: 9", "many", False),
        ("gt: 0", True, False),
        ("gt: 0", float("nan"), False),
        ("lt: 0", float("nan"), False),
    ],
)
def test_numbers_compare_as_numbers_also_when_they_came_as_text(operand: str, value: object, expected: bool) -> None:
    actual = holds(f"{{field: person.employees, {operand}}}", employees=value)

    assert expected is actual


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("contains: test", ["bot", "Test"], True),
        ("contains: test", ["testing"], False),
        ("contains: test", [], False),
        ("in: [test, bot]", ["spam", "bot"], True),
        ("in: [test, bot]", ["spam"], False),
        ("not_in: [test, bot]", ["spam"], True),
        ("not_in: [test, bot]", ["spam", "TEST"], False),
        ("not_in: [test, bot]", [], True),
        ("exists: true", [], False),
        ("exists: false", [], True),
        ("exists: true", ["spam"], True),
    ],
)
def test_lists_are_asked_for_whole_members(operand: str, value: object, expected: bool) -> None:
    actual = holds(f"{{field: quality, {operand}}}", quality=value)

    assert expected is actual


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("equals: true", True, True),
        ("equals: true", False, False),
        ("equals: false", False, True),
        ("not_equals: true", False, True),
        ("not_equals: true", None, True),
        ("exists: true", False, True),
        ("equals: false", None, False),
    ],
)
def test_a_boolean_that_is_missing_is_neither_true_nor_false(operand: str, value: object, expected: bool) -> None:
    actual = holds(f"{{field: consent.phone, {operand}}}", phone=value)

    assert expected is actual


@pytest.mark.parametrize(
    ("operand", "at", "expected"),
    [
        ("within_last: 7d", NOW, True),
        ("within_last: 7d", NOW - 7 * DAY, True),
        ("within_last: 7d", NOW - 7 * DAY - 1, False),
        ("within_last: 7d", NOW + 1, False),
        ("within_last: 90s", NOW - 90, True),
        ("within_last: 2w", NOW - 14 * DAY, True),
        ("gt: 2001-09-09", 1_000_000_000.0, True),  # 1,000,000,000 s is 2001-09-09T01:46:40Z
        ("lt: 2001-09-09", 1_000_000_000.0, False),
        ("gte: '2001-09-09T01:46:40Z'", 1_000_000_000.0, True),
        ("gt: '2001-09-09T03:46:40+02:00'", 1_000_000_000.0, False),
        ("between: [2001-09-08, 2001-09-10]", 1_000_000_000.0, True),
        ("exists: true", 0.0, True),
    ],
)
def test_times_compare_with_days_with_instants_and_with_now(operand: str, at: float, expected: bool) -> None:
    actual = holds(f"{{field: person.seen_at, {operand}}}", seen_at=at)

    assert expected is actual


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("equals: gold", "Gold", True),
        ("equals: 5", "5", True),
        ("equals: '5'", 5, True),
        ("equals: '5'", 5.0, True),
        ("equals: true", "TRUE", True),
        ("equals: true", 1, False),
        ("equals: 1", True, False),
        ("in: [gold, 5]", 5, True),
        ("in: [gold, 5]", ["silver", "GOLD"], True),
        ("contains: old", "Gold", True),
        ("contains: old", ["gold"], False),
        ("contains: gold", ["Gold"], True),
        ("contains: 5", [4, 5], True),
        ("gt: 4", "5", True),
        ("gt: 4", [5], False),
        ("gt: 2026-01-01", "2026-01-02", True),
        ("gt: 2026-01-01", "2026-01-02T00:00:00", False),  # without a zone it is no instant
        ("starts_with: 4", 49, True),
        ("equals: gold", {"tier": "gold"}, False),
        ("exists: true", {"tier": "gold"}, True),
        ("exists: true", {}, False),
    ],
)
def test_an_open_field_takes_the_kind_that_it_is_compared_with(operand: str, value: object, expected: bool) -> None:
    actual = holds(f"{{field: person.extra.tier, {operand}}}", tier=value)

    assert expected is actual


@pytest.mark.parametrize("value", [None, "", "  \t"])
@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ("equals: x", False),
        ("in: [x]", False),
        ("contains: x", False),
        ("starts_with: x", False),
        ("ends_with: x", False),
        ("matches: '.*'", False),
        ("matches: '^$'", False),
        ("exists: true", False),
        ("exists: false", True),
        ("not_equals: x", True),
        ("not_in: [x]", True),
    ],
)
def test_a_missing_field_makes_every_operator_false_but_three(value: object, operand: str, expected: bool) -> None:
    actual = holds(f"{{field: person.job_title, {operand}}}", job_title=value)

    assert expected is actual


@pytest.mark.parametrize("operand", ["gt: 1", "gte: 1", "lt: 1", "lte: 1", "between: [0, 9]", "equals: 1", "in: [1]"])
def test_a_missing_number_compares_with_nothing(operand: str) -> None:
    assert not holds(f"{{field: person.employees, {operand}}}")


def test_not_turns_the_result_around_also_for_a_missing_field() -> None:
    assert holds("not: {field: person.employees, gt: 5}")
    assert not holds("not: {field: person.employees, not_equals: 5}")


def test_letters_beyond_ascii_compare_without_case_and_in_either_way_of_writing() -> None:
    assert holds("{field: person.job_title, equals: GESCHÄFTSFÜHRER}", job_title="Geschäftsführer")
    assert holds("{field: person.job_title, equals: STRASSE}", job_title="straße")
    assert holds("{field: person.job_title, contains: é}", job_title="Attache\u0301")
    assert holds("{field: person.job_title, matches: 'é$'}", job_title="ATTACHE\u0301")


def test_unquoted_words_that_yaml_once_read_as_booleans_stay_words() -> None:
    assert holds("{field: person.country, in: [DE, NO, ON]}", country="no")
    assert holds("{field: person.country, equals: NO}", country="NO")


def test_a_number_compares_with_text_as_it_is_written() -> None:
    assert holds("{field: person.postcode, in: [10115, 01067]}", postcode="01067")
    assert holds("{field: person.postcode, starts_with: 101}", postcode="10115")
    assert not holds("{field: person.postcode, equals: 1067}", postcode="01067")


def test_text_that_no_encoding_knows_is_searched_without_an_error() -> None:
    assert not holds("{field: person.job_title, matches: x}", job_title="\ud800")
    assert holds("{field: person.job_title, matches: x}", job_title="\ud800x")


def test_a_long_text_is_searched_and_a_large_expression_too() -> None:
    assert holds("{field: person.job_title, matches: 'needle$'}", job_title="hay" * 50_000 + "needle")
    assert holds(r"{field: person.job_title, matches: '^(?:\pL|\pN\pL){100}$'}", job_title="é" * 100)
    assert not holds(r"{field: person.job_title, matches: '^(?:\pL|\pN\pL){100}$'}", job_title="é" * 99)


def test_the_whole_example_reads_as_a_sentence() -> None:
    sentence = condition(
        """
        all:
          - {field: person.job_title, contains: director}
          - any:
              - {field: person.country, in: [DE, FR]}
              - {field: person.seen_at, within_last: 7d}
          - not: {field: person.employees, between: [1, 10]}
          - {field: quality, not_in: [test]}
          - {field: consent.phone, equals: true}
          - {field: person.seen_at, gte: 2026-01-01}
          - {field: person.postcode, exists: false}
        """
    ).words()

    assert (
        "job title contains “director” and (country is one of DE, FR or seen at is within the last 7 days)"
        " and not (employees is between 1 and 10) and quality includes none of test and phone is true"
        " and seen at is not before 2026-01-01 and postcode is not known"
    ) == sentence


def test_findings_show_each_leaf_with_the_value_and_whether_it_held() -> None:
    found = condition(
        "all: [{field: person.country, equals: DE}, {not: {field: person.employees, gt: 10}},"
        " {field: person.job_title, exists: true}]"
    ).findings({"person.country": "FR", "person.employees": 5}, NOW)

    assert [
        ("person.country", "country is “DE”", "FR", False, True),
        ("person.employees", "employees is more than 10", 5, False, False),
        ("person.job_title", "job title is known", None, False, True),
    ] == [(f.field, f.words, f.value, f.held, f.wanted) for f in found]


def test_fields_names_every_path_once() -> None:
    parsed = condition("any: [{field: quality, contains: a}, {not: {field: quality, contains: b}}]")

    assert {"quality"} == parsed.fields()
