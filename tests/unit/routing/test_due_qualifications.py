"""Which assignment a record is due, on a model of the ledger that has one lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import ScoredLead
from services.routing.ledger.entries import Assigned
from services.routing.stage import next_qualification
from tests.unit.routing.histories import FIRST, STEPS, Came, Said, Step, at


class Model:
    """What the ledger keeps of a lead, as far as assignments depend on it."""

    def __init__(self) -> None:
        self.known: datetime | None = None
        self.last: Assigned | None = None
        self.settled: list[ScoredLead] = []

    def take(self, step: Step) -> None:
        if isinstance(step, Came):
            self.settle(record := step.lead("lena"))
            self.settled.append(record)
        elif self.last is not None and self.last.status != "closed":
            self.last = replace(self.last, status="accepted" if step.kind == "accepted" else "closed")
            if step.kind == "recycled":
                self.last = replace(self.last, outcome="recycled", outcome_at=at(step.hours), known_as_of=self.known)

    def settle(self, record: ScoredLead) -> None:
        self.known = record.as_of if self.known is None else max(self.known, record.as_of)
        number = next_qualification(record, self.last)
        if number is not None:
            self.last = Assigned(number, "offered")


@given(st.lists(STEPS, max_size=12))
def test_no_record_that_was_dealt_with_is_due_another_one(steps: list[Step]) -> None:
    model = Model()
    for step in [FIRST, *steps]:
        model.take(step)
        before = model.last
        for record in model.settled:
            model.settle(record)

        assert model.last == before


@given(st.lists(STEPS, max_size=8), st.integers(1, 5))
def test_what_is_newer_than_all_that_sales_and_routing_knew_is_due_the_next_one(steps: list[Step], times: int) -> None:
    model = Model()
    for step in [FIRST, *steps, Said("lost", 0)]:
        model.take(step)
    assert model.last is not None
    number, recycled = model.last.qualification, model.last.outcome == "recycled"
    for more in range(times):
        model.take(Came(5 + 2 * more, anew=True, event=9))
        model.take(Said("recycled", 6 + 2 * more))

    assert model.last.qualification == (number + times if recycled else number)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, 1),
        (Assigned(3, "closed", "recycled", at(1), at(1)), 4),
        (Assigned(3, "closed", "recycled", at(2), at(1)), None),
        (Assigned(3, "closed", "recycled", at(1), at(2)), None),
        (Assigned(3, "closed", "recycled", at(1), None), None),  # by a worker of an older version
        (Assigned(3, "closed", "won", at(1), at(1)), None),
        (Assigned(3, "accepted"), None),
    ],
)
def test_the_next_one_by_what_is_known_of_the_last(last: Assigned | None, due: int | None) -> None:
    assert next_qualification(Came(2, anew=True, event=0).lead("lena"), last) == due
