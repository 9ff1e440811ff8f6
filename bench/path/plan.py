"""What a run measures."""

from __future__ import annotations

from typing import NamedTuple

AT = 500.0
"""Events a second that everybody can compare with."""
SHARES = (0.25, 0.5, 0.75)
"""Of the sustained rate."""
WARM_SECONDS, FULL_SECONDS, POINT_SECONDS = 90.0, 30.0, 45.0
"""The broker's JVM compiles what it runs: after 15 s of 500 events a second that was half of what it spent."""
WINDOW = 4_000
"""Events on their way while the sustained rate is measured."""
SINGLE, BATCH = 1, 10
"""Events a request: at `AT` each comes alone, as forms send them; else ten, as trackers do."""


class Goal(NamedTuple):
    """Of a point, by its name: p99 of the handoff, in seconds."""

    point: str
    p99: float


class Wanted(NamedTuple):
    """A point to be measured. `rate` in events a second."""

    name: str
    rate: float
    size: int


def wanted(sustained: float) -> list[Wanted]:
    """Points of an installation that takes `sustained` events a second."""
    return [
        Wanted(f"{AT:g} a second", AT, SINGLE),
        *(Wanted(f"{share:.0%} of the sustained rate", share * sustained, BATCH) for share in SHARES),
    ]


GOALS = (Goal(f"{AT:g} a second", 0.150), Goal("50% of the sustained rate", 0.250))
