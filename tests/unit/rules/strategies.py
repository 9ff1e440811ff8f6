"""Conditions and subjects of a small world, where they meet often."""

from typing import Any

from hypothesis import strategies as st

from tests.unit.rules.people import DAY, NOW

WORDS = ["de", "DE", "Fr", "director", "Senior Director", "5", "10", "ä", "Ä", "Straße", "STRASSE", "no", "true", "a b"]
NUMBERS = [-1, 0, 1, 5, 5.0, 9.5, 10]
PATTERNS = ["d", "^de$", r"\bdirector\b", "^s", "(or|5)$", "[0-9]+", ".*"]
LENGTHS = {"90s": 90.0, "7d": 7 * DAY, "2w": 14 * DAY}
BLANKS = [None, "", "  "]


def leaf_of(path: str, operators: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(sorted(operators)).flatmap(
        lambda name: operators[name].map(lambda operand: {"field": path, name: operand})
    )


words = st.sampled_from(WORDS)
numbers = st.sampled_from(NUMBERS)
exists = {"exists": st.booleans()}
one_word = dict.fromkeys(("contains", "starts_with", "ends_with"), words)
orders = dict.fromkeys(("gt", "gte", "lt", "lte"), numbers) | {
    "between": st.tuples(numbers, numbers).map(sorted),
}


def same_as(operands: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    several = st.lists(operands, min_size=1, max_size=3)
    return {"equals": operands, "not_equals": operands, "in": several, "not_in": several}


TEXTS = same_as(words) | one_word | {"matches": st.sampled_from(PATTERNS)} | exists
OF_LISTS = {name: same_as(words)[name] for name in ("in", "not_in")} | {"contains": words} | exists
leaves = st.one_of(
    leaf_of("person.job_title", TEXTS),
    leaf_of("person.country", TEXTS),
    leaf_of("person.employees", same_as(numbers) | orders | exists),
    leaf_of("consent.phone", {"equals": st.booleans(), "not_equals": st.booleans()} | exists),
    leaf_of("quality", OF_LISTS),
    leaf_of("person.seen_at", {"within_last": st.sampled_from(sorted(LENGTHS))} | exists),
    leaf_of("person.extra.tier", same_as(st.one_of(words, numbers, st.booleans())) | one_word | orders | exists),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)
lists = st.lists(words, max_size=3)
some_text = st.one_of(st.sampled_from(BLANKS), words)
subjects = st.fixed_dictionaries(
    {
        "person.job_title": some_text,
        "person.country": some_text,
        "person.employees": st.one_of(st.none(), numbers, numbers.map(str)),
        "consent.phone": st.sampled_from([None, True, False]),
        "quality": st.one_of(st.none(), lists),
        "person.seen_at": st.one_of(
            st.none(), st.sampled_from([NOW - back for back in (-1, 0, 90, 91, 7 * DAY, 15 * DAY)])
        ),
        "person.extra.tier": st.one_of(some_text, numbers, st.booleans(), lists),
    }
)
