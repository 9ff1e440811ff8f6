"""Quantiles of what was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of `count` values. In the values' unit; all 0 where there are none."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def quantiles(values: Iterable[float]) -> Quantiles:
    """By nearest rank: each of them is a value that was measured."""
    ordered = sorted(values)
    if not ordered:
        return Quantiles(0, 0.0, 0.0, 0.0, 0.0)
    p50, p95, p99 = (rank(ordered, share) for share in (0.5, 0.95, 0.99))
    return Quantiles(len(ordered), p50, p95, p99, ordered[-1])


def rank(ordered: Sequence[float], share: float) -> float:
    """The least of the `ordered` values that `share` of them do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
