import pytest

from tests.unit.rules.people import faults


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{field: person.jobtitle, equals: x}", "unknown field `person.jobtitle` | Did you mean `person.job_title`?"),
        ("{field: job_title, equals: x}", "unknown field `job_title` | Did you mean `person.job_title`?"),
        ("{field: person.zzz, equals: x}", "For one of your own write `person.extra.zzz`."),
        ("{field: person.extra., equals: x}", "unknown field `person.extra.`"),
        ("{field: 7, equals: x}", "`field` must be a path"),
        ("{equals: x}", "the condition names no field"),
        ("{path: person.country, equals: DE}", "unknown operator `path` | Did you mean `field`?"),
        ("{field: person.country, contain: x}", "unknown operator `contain` | Did you mean `contains`?"),
        ("{field: person.employees, '>=': 5}", "unknown operator `>=` | Did you mean `gte`?"),
        ("{field: person.country, qqq: x}", "unknown operator `qqq` | Known here: all, any, between"),
        ("{field: person.country}", "the condition has no operator"),
        ("{field: person.employees, gt: 1, lt: 9}", "`gt` and `lt` stand in one condition"),
        ("{field: person.country, gt: 5}", "`gt` does not suit `person.country`, which is text | Use one of: equals"),
        (
            "{field: quality, equals: test}",
            "`equals` does not suit `quality`, which is a list | Use one of: in, not_in",
        ),
        ("{field: person.seen_at, equals: 2026-01-01}", "which is a time | Use one of: gt"),
        ("{field: person.country, equals: true}", "compares text here, not `true` | Put it in quotes: 'true'."),
        ("{field: person.country, equals: 1.5}", "compares text here, not `1.5` | Put it in quotes: '1.5'."),
        ("{field: person.country, equals: ' '}", "blank text to compare with | Use `exists: false`"),
        ("{field: person.country, equals: }", "`equals` has no value"),
        ("{field: person.country, equals: [DE, FR]}", "not with a list | Use `in: [...]`"),
        ("{field: person.country, contains: [DE, FR]}", "takes one text, not a list | Join several with `any: [...]`"),
        ("{field: person.country, in: DE}", "`in` needs a list, not `DE` | Write `in: [DE]`."),
        ("{field: person.country, in: []}", "the list of `in` is empty"),
        ("{field: person.country, in: [DE, null]}", "`in` compares with one value, not with nothing"),
        ("{field: person.country, in: [[DE]]}", "not with a list"),
        ("{field: person.employees, gt: '250'}", "needs a number here, not `250` | Write 250, without quotes"),
        ("{field: person.employees, gt: 1_000}", "needs a number here, not `1_000` | Write 1000, without quotes"),
        ("{field: person.employees, gt: many}", "needs a number here, not `many` | Write a number."),
        ("{field: person.employees, gt: true}", "needs a number here, not `true` | Write a number."),
        ("{field: person.employees, gt: .nan}", "needs a finite number, not `nan`"),
        ("{field: person.employees, lt: .inf}", "needs a finite number, not `inf`"),
        ("{field: person.employees, lt: 1e999}", "needs a finite number, not `inf`"),
        (
            "{field: person.employees, between: [9, 1]}",
            "higher end first: nothing lies between | Write `between: [1, 9]`.",
        ),
        ("{field: person.employees, between: 5}", "`between` needs two ends, not `5`"),
        ("{field: person.employees, between: [1, 2, 3]}", "`between` needs two ends"),
        ("{field: person.extra.x, between: [1, 2026-01-01]}", "one end that is a time and one that is a number"),
        ("{field: consent.phone, equals: 'yes'}", "the field is true or false, not `yes`"),
        ("{field: person.country, exists: 'yes'}", "`exists` is true or false, not `yes`"),
        ("{field: person.seen_at, within_last: 7}", "`7` is not a duration | Write a number and a unit: 90s, 15m"),
        ("{field: person.seen_at, within_last: 0d}", "`0d` is no time at all"),
        ("{field: person.seen_at, gt: 2026-13-01}", "needs a time here, not `2026-13-01` | Write a day"),
        ("{field: person.seen_at, gt: '2026-01-01T00:00:00'}", "needs a time here"),
        ("{field: person.country, matches: 5}", "`matches` needs a regular expression"),
        ("{field: person.country, matches: ''}", "empty expression"),
        ("{field: person.country, matches: '('}", "`(` is not a regular expression: missing ): ("),
        ("{field: person.country, matches: '[a'}", "`[a` is not a regular expression: missing ]: [a"),
        ("{field: person.country, matches: 'a(?=b)'}", "look-ahead `(?=` is not taken: expressions run in linear time"),
        ("{field: person.country, matches: 'a(?!b)'}", "look-ahead `(?!` is not taken"),
        ("{field: person.country, matches: '(?<=a)b'}", "look-behind `(?<` is not taken"),
        ("{field: person.country, matches: '(?<!a)b'}", "look-behind `(?<` is not taken"),
        (
            r"{field: person.country, matches: '(a)\1'}",
            r"a back-reference (\1) is not taken: expressions run in linear",
        ),
        (r"{field: person.country, matches: 'a\Z'}", r"The end of the text is `\z` here."),
        (r"{field: person.country, matches: '\pL{999}'}", "| Shorten it"),
        ("{all: []}", "`all` is empty"),
        ("{any: }", "`any` needs a list of conditions"),
        ("{all: {field: person.country, equals: DE}}", "`all` needs a list of conditions"),
        ("{not: [{field: person.country, equals: DE}]}", "a list is not a condition"),
        ("{not: }", "a condition is missing here"),
        ("{}", "a condition is missing here"),
        ("[]", "a list is not a condition"),
        ("text", "a condition is missing here"),
        ("{all: [x], any: [y]}", "`all` stands beside `any` in one mapping"),
        ("{not: {field: quality, contains: a}, field: quality}", "`not` stands beside `field` in one mapping"),
    ],
)
def test_a_fault_says_what_is_wrong_and_how_to_mend_it(written: str, expected: str) -> None:
    found = faults(written)

    assert 1 == len(found), found
    assert expected in found[0]


def test_every_fault_of_a_condition_comes_at_once_each_with_its_line() -> None:
    found = faults(
        "all:\n"
        "  - {field: person.country, equals: DE}\n"
        "  - field: person.contry\n"
        "    equals: DE\n"
        "  - any:\n"
        "      - field: person.employees\n"
        "        gt: many\n"
        "      - not:\n"
        "          field: person.country\n"
        "          like: x\n"
    )

    assert ["3", "7", "10"] == [fault.partition(":")[0] for fault in found]


def test_a_wrong_field_and_a_wrong_operator_of_one_condition_are_two_faults() -> None:
    found = faults("{field: person.contry, eq: DE}")

    assert 2 == len(found)


def test_conditions_nest_as_deep_as_anybody_needs_and_no_deeper() -> None:
    leaf = "{field: person.country, equals: DE}"

    assert [] == faults("{not: " * 19 + leaf + "}" * 19)
    assert "nested deeper than 20 levels" in faults("{not: " * 20 + leaf + "}" * 20)[0]
