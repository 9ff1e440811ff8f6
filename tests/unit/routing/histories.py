"""What may become of one lead, for property tests: records of it, and what sales says, in any order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from schemas import ScoredLead
from tests.unit.routing import world

NINE = datetime(2026, 9, 24, 9, 0, tzinfo=UTC)


class Came(NamedTuple):
    """A record of the lead; `anew`: it says that it has become an MQL."""

    hours: int
    anew: bool
    event: int

    def lead(self, name: str) -> ScoredLead:
        more = {} if self.anew else {"transition": None}
        return world.lead(name, as_of=at(self.hours), event_id=f"event-{self.event}", **more)


class Said(NamedTuple):
    """What sales says; `hours` is its own time for it."""

    kind: str
    hours: int


Step = Came | Said

_HOURS = st.integers(-2, 4)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Came, _HOURS, st.booleans(), st.integers(0, 2)),
    st.builds(Said, st.sampled_from(["recycled", "recycled", "recycled", "accepted", "lost"]), _HOURS),
)
FIRST = Came(0, True, 0)


def at(hours: int) -> datetime:
    """So long after nine."""
    return NINE + timedelta(hours=hours)
