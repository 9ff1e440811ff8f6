"""What is wrong with a file's form hides nothing that is wrong with its conditions."""

from __future__ import annotations

import pytest

from rules.document import parse
from rules.faults import FaultyConfiguration
from services.routing import plan
from services.scoring import ruleset

ROUTING = """
suppress:
  - {when: {field: person.shoe_size, equals: 5}, reason: large feet}
queues:
  - {id: a, pool: {team: all}, distribute: sideways}
rules:
  - {id: one, when: {field: person.country, equls: DE}, queue: a}
  - {id: two, when: not a condition, queue: a}
  - {id: all, otherwise: true, queue: a}
"""

SCORING = """
fit:
  rules:
    - {id: senior, when: {field: person.title, contains: vp}, points: many}
engagement:
  rules:
    - {id: seen, on: page_viewed, when: {field: person.country, equals: DE}, points: 5}
segments:
  - {id: large, when: {field: person.employees, gte: a lot}}
qualify:
  mql: {any: []}
"""


def faults(read: object, content: str) -> list[tuple[int, str]]:
    assert callable(read)
    with pytest.raises(FaultyConfiguration) as caught:
        read(parse(content, "file.yaml"))
    assert all(fault.mend for fault in caught.value.faults)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def test_every_fault_of_a_routing_file_is_told_at_once() -> None:
    found = faults(lambda document: plan.read(document, None), ROUTING)

    assert sorted(line for line, _ in found) == [3, 5, 7, 8]
    assert len(set(found)) == len(found)


def test_every_fault_of_a_scoring_file_is_told_at_once() -> None:
    found = faults(ruleset.read, SCORING)

    assert {4, 7, 9, 11} <= {line for line, _ in found}


def test_the_form_alone_may_be_wrong() -> None:
    found = faults(lambda document: plan.read(document, None), "queues: 5\nrules: {when: 5}\nsuppress: [5, [], {}]")

    assert found
