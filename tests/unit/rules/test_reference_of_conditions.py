import re
from pathlib import Path

import pytest

from rules.condition import parse
from rules.document import parse as parse_document
from rules.operators import JOINTS, OPERATORS
from services.scoring.vocabulary import QUALIFY

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "conditions.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_the_page_is_a_sound_condition(example: str) -> None:
    document = parse_document(example, "conditions.md")

    assert parse(document.data, QUALIFY, document, ()).words()


def test_the_page_has_an_example_of_each_operator_and_joint() -> None:
    shown = {word for example in EXAMPLES for word in re.findall(r"(\w+):", example)}

    assert set() == {*OPERATORS, *JOINTS} - shown


def test_the_page_tells_the_sentence_that_its_first_example_reads_as() -> None:
    document = parse_document(EXAMPLES[0], "conditions.md")
    sentence = parse(document.data, QUALIFY, document, ()).words()

    assert sentence in " ".join(PAGE.split())
