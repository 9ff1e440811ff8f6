"""A stage does not start where partitions of its source have none of its changelog."""

from __future__ import annotations

import pytest

from streaming.faust.faults import TopicMissing
from streaming.faust.offsets import demand_partitions
from streaming.stage import Codec, Stage

KEEPS = Stage("s", "in", "s.failed", lambda _: None, changelog="s.state", codec=Codec(dumps=bytes, loads=bytes))
MARKS = Stage("s", "in", "s.failed", lambda _: None, changelog="s.state")


@pytest.mark.parametrize(("stage", "source", "changelog"), [(KEEPS, 8, 8), (MARKS, 8, 8), (MARKS, 8, 24)])
def test_each_partition_has_its_place(stage: Stage, source: int, changelog: int) -> None:
    demand_partitions(stage, {"in": source, "s.state": changelog})


@pytest.mark.parametrize(
    ("stage", "source", "changelog", "mend"),
    [
        (KEEPS, 8, 4, "they must be equal"),
        (KEEPS, 8, 24, "they must be equal"),
        (MARKS, 8, 4, r"--alter --topic s.state --partitions 8"),
    ],
)
def test_a_partition_without_one_is_said_with_the_mend(stage: Stage, source: int, changelog: int, mend: str) -> None:
    with pytest.raises(TopicMissing, match=rf"s.state has {changelog} partitions, in has {source}: .*{mend}"):
        demand_partitions(stage, {"in": source, "s.state": changelog})
