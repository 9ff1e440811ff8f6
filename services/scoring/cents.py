"""Lines that add up: sums of points, rounded to two decimals without a cent lost between the lines and the total.

Points are doubles. Sums are taken with `math.fsum`, which is exact and rounds once, so that order does not matter. The
total is rounded to cents (half to even), and the lines get the cents of the total by largest remainder: each is cut to
a cent below or above its exact value, so that in whole cents they are the total.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def to_cents(points: float) -> int:
    """`points` in hundredths, rounded half to even on the value that the double stands for."""
    return round(round(points, 2) * 100)


def apportioned(values: Sequence[float], total: int) -> list[int]:
    """`values` in cents that add up to `total` (cents, at most a cent a value away from their sum).

    Those with the largest remainder get the cents that are left; of equal ones, the earlier.
    """
    floors = [math.floor(value * 100) for value in values]
    left = total - sum(floors)
    by_remainder = sorted(range(len(values)), key=lambda i: floors[i] - values[i] * 100)
    for index in by_remainder[:left] if left > 0 else ():
        floors[index] += 1
    return floors
