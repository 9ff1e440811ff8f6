from __future__ import annotations

import pytest

from streaming.faust.pace import Pace


def test_the_next_round_waits_for_as_long_as_the_last_one_took() -> None:
    pace = Pace(most=1.0)
    pace.ended(began=10.0, now=10.25)

    assert pace.left(10.25) == pytest.approx(0.25)
    assert pace.left(10.4) == pytest.approx(0.1)


def test_a_slow_round_makes_nobody_wait_for_longer_than_the_most() -> None:
    pace = Pace(most=0.02)
    pace.ended(began=10.0, now=14.0)

    assert pace.left(14.0) == pytest.approx(0.02)


def test_a_record_that_comes_alone_does_not_wait() -> None:
    pace = Pace()
    before = pace.left(10.0)
    pace.ended(began=10.0, now=10.01)

    assert 0.0 == before == pace.left(11.0)
