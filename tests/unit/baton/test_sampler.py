from __future__ import annotations

from collections.abc import Mapping

from baton.up.readings import Reading, parse
from baton.up.sampler import EVERY, REST, Sampler


def said(records: int) -> Mapping[str, list[Reading]]:
    text = f'# TYPE baton_records_total counter\nbaton_records_total{{outcome="processed",stage="scoring"}} {records}\n'
    return {"scoring": [parse(text)]}


def test_workers_that_have_nothing_new_to_say_are_asked_less_often_until_one_has() -> None:
    now = iter(range(1_000))
    records = iter([0] * 11 + [1, 1])
    sampler = Sampler(lambda: said(next(records)), None, clock=lambda: float(next(now)))
    pauses = []
    for _ in range(13):
        sampler.sample()
        pauses.append(sampler.pause)

    assert EVERY < REST
    assert [EVERY] * 10 + [REST] + [EVERY] * 2 == pauses
    assert 3 == len(sampler._history)  # what begins after a rest is not diluted by it
