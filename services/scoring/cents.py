"""Points as whole numbers, and rounding that takes no cent from a sum.

Points are held in units of a hundred-millionth, so that sums are exact and order does not matter. A total is rounded to
cents, half to even; its parts share the cents of the total by largest remainder: each is cut to the cent below or above
its own value, so that in whole cents they are the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

UNIT: Final = 100_000_000
"""Units in a point."""

CENT: Final = UNIT // 100
_HALF: Final = CENT // 2


def to_units(points: float) -> int:
    """`points` in units, the nearest."""
    return round(points * UNIT)


def to_cents(units: int) -> int:
    """`units` in cents, half to even."""
    cents, rest = divmod(units, CENT)
    if not rest:
        return cents
    return cents + (rest > _HALF or (rest == _HALF and cents % 2 == 1))


def apportioned(parts: Sequence[int], cents: int) -> list[int]:
    """`parts` (units) in cents that add up to `cents`, their rounded sum.

    The parts with the largest remainder get the cents that are left; of equal ones, the earlier.
    """
    shares = [units // CENT for units in parts]
    left = cents - sum(shares)
    if left:
        remainders = [units % CENT for units in parts]
        if left == 1:
            shares[remainders.index(max(remainders))] += 1
        else:
            for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:left]:
                shares[index] += 1
    return shares
