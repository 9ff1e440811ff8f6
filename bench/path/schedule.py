"""When requests are due: drawn beforehand, so that a slow answer delays none of those behind it. Pure."""

from __future__ import annotations

from random import Random


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Seconds from the start at which requests are due: `rate` a second on average, by chance, as strangers come.

    Gaps are exponential (a Poisson process): the door meets bursts and lulls.
    """
    draw, at, due = Random(seed), 0.0, []
    while (at := at + draw.expovariate(rate)) < seconds:
        due.append(at)
    return due
