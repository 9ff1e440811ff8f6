import re
from pathlib import Path

import pytest

from services.scoring import declared, event, layers, lifecycle, profile, titles, vocabulary
from tests.unit.scoring.scoring_world import rules_of

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "scoring.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_page_is_a_ruleset_without_a_fault(example: str) -> None:
    assert rules_of(example).engagement


def test_the_page_names_every_key() -> None:
    models = [
        member for member in vars(declared).values() if isinstance(member, type) and issubclass(member, declared.Keys)
    ]
    missing = [key for model in models for key in model.model_fields if key not in PAGE]

    assert [] == missing


def test_the_page_names_every_class_of_seniority_and_function_and_every_field() -> None:
    names = {*titles.SENIORITIES, *titles.FUNCTIONS, *vocabulary.DERIVED, "conversion_probability", "segments", "stage"}

    assert set() == {name for name in names if f"`{name}`" not in PAGE and f"`person.{name}`" not in PAGE}


def test_the_bounds_that_the_page_tells_are_those_of_the_code() -> None:
    for told in (
        f"the latest {profile.MOST_EVENTS:,} events",
        f"the latest {layers.MOST_EXTRAS} unknown attributes",
        f"up to {event.LONGEST_NAME} characters",
        f"up to {event.LONGEST_EXTRA:,} bytes",
        f"the latest {profile.MOST_PURPOSES} purposes",
        f"{profile.MOST_VERDICTS} verdicts",
        f"up to {lifecycle.MOST_MOMENTS - 1} signals",
    ):
        assert told in PAGE
