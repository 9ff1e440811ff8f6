"""A run that failed can be played again: its seed draws the same strikes, in another process, too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.faults import catalogue

ROOT = Path(__file__).parents[3]
MANY = 300
"""More strikes than an hour has."""

Draw = Callable[[random.Random], Iterator[object]]
DRAWS: tuple[Draw, ...] = (catalogue.at_random, catalogue.each)

ELSEWHERE = """
from tests.unit.faults.test_seeds import DRAWS, plan
print([plan(draw, 7) for draw in DRAWS])
"""


def plan(draw: Draw, seed: int) -> list[object]:
    return list(islice(draw(random.Random(seed)), MANY))


@pytest.mark.parametrize("draw", DRAWS)
def test_a_seed_draws_the_same_strikes_each_time_and_another_seed_others(draw: Draw) -> None:
    assert plan(draw, 7) == plan(draw, 7)
    assert plan(draw, 7) != plan(draw, 8)


@pytest.mark.parametrize("order", ["1", "2"])
def test_a_process_whose_sets_have_another_order_draws_the_same(order: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": order},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{[plan(draw, 7) for draw in DRAWS]}\n"
