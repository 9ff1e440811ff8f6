"""When the demo's steps are due: a bounded rate, a bounded number, people one after the other. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from baton.demo.journeys import Step, journey
from baton.demo.people import Person

EVENTS_A_PERSON = 3.9
"""About so many steps has a journey, over all stories."""
EAGER = 3
"""The first few of each run ask for a demo at once, so that there is soon something to see."""


@dataclass(frozen=True, slots=True)
class Due:
    """A step that is to be sent `at` seconds after the start."""

    at: float
    person: Person
    step: Step


def schedule(seed: int, first: int, rate: float, people: int) -> Iterator[Due]:
    """Steps of `people` persons from number `first` on, about `rate` events a second, in order of time."""
    gap = EVENTS_A_PERSON / rate
    waiting: list[tuple[float, int, Due]] = []
    order = count()
    for index in range(people):
        start = index * gap
        while waiting and waiting[0][0] <= start:
            yield heapq.heappop(waiting)[2]
        told = journey(seed, first + index, eager=index < EAGER)
        for step in told.steps:
            at = start + step.after
            heapq.heappush(waiting, (at, next(order), Due(at, told.person, step)))
    while waiting:
        yield heapq.heappop(waiting)[2]
