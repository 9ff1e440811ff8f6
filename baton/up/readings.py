"""Reads what workers say at `/metrics`. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf
from types import MappingProxyType

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, frozenset[tuple[str, str]]]
Reading = Mapping[Series, float]
"""Value by name and labels."""


def parse(text: str) -> Reading:
    """Baton's own series in the text format of Prometheus."""
    return _parsed("\n".join(line for line in text.splitlines() if line.startswith("baton_")))


@lru_cache(maxsize=64)  # a worker that is idle says the same again and again
def _parsed(lines: str) -> Reading:
    found = {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in text_string_to_metric_families(lines)
        for sample in family.samples
    }
    return MappingProxyType(found)


def total(readings: Iterable[Reading], name: str, **labels: str) -> float:
    """Sum of the series `name` that have these labels."""
    wanted = set(labels.items())
    return sum(
        value
        for reading in readings
        for (series, found), value in reading.items()
        if series == name and wanted <= found
    )


def told(readings: Iterable[Reading], name: str, **labels: str) -> bool:
    """Whether there is any series `name` that has these labels."""
    wanted = set(labels.items())
    return any(series == name and wanted <= found for reading in readings for series, found in reading)


def buckets(readings: Iterable[Reading], name: str, **labels: str) -> dict[float, float]:
    """Cumulative counts of a histogram by upper bound, over all series that have these labels."""
    wanted = set(labels.items())
    counts: dict[float, float] = defaultdict(float)
    for reading in readings:
        for (series, found), value in reading.items():
            if series == f"{name}_bucket" and wanted <= found:
                counts[float(dict(found)["le"])] += value
    return dict(counts)


def less(new: Mapping[float, float], old: Mapping[float, float]) -> dict[float, float]:
    """What came between two looks at a histogram; all of it where a worker began anew meanwhile."""
    change = {bound: value - old.get(bound, 0.0) for bound, value in new.items()}
    return dict(new) if any(value < 0 for value in change.values()) else change


def quantile(counts: Mapping[float, float], q: float) -> float | None:
    """The q-quantile of a histogram, linear within a bucket; None where it is empty."""
    bounds = sorted(counts)
    if not bounds or counts[bounds[-1]] <= 0:
        return None
    rank = q * counts[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == inf or counts[bound] == below:
                return lower
            return lower + (bound - lower) * (rank - below) / (counts[bound] - below)
        lower, below = bound, counts[bound]
    return lower
