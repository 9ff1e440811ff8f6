from __future__ import annotations

import pytest

from bench.rebalance.__main__ import row
from bench.rebalance.group import longest_gap
from bench.rebalance.protocols import PROTOCOLS


@pytest.mark.parametrize(
    ("times", "since", "gap"),
    [
        ([], 0.0, 0.0),
        ([1.0], 0.0, 0.0),
        ([1.0, 2.0, 2.5], 0.0, 1.0),
        ([1.0, 9.0, 9.5], 5.0, 8.0),  # it began before what is looked at, and went on into it
        ([1.0, 9.0, 9.5], 9.2, 0.5),
    ],
)
def test_a_standstill_is_the_longest_time_between_two_commits(times: list[float], since: float, gap: float) -> None:
    assert longest_gap(times, since) == gap


def test_a_line_has_median_and_most_of_all_partitions_and_how_many_stood_long() -> None:
    line = row(PROTOCOLS[0], "one joins", [[0.1, 0.2, 0.9], [0.1, 0.6, 1.4]], "3 on 2 cores")

    assert line == "| classic, range (eager) | one joins | 0.40 | 1.40 | 1.5 of 3 | 3 on 2 cores |"
