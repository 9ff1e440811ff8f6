"""`baton roster apply`: the people of `roster.yaml` get a standing in the ledger; the roster is kept by its hash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from services.routing.ledger.models import RepRow, RosterVersion
from services.routing.roster import Rep, Roster


def take_over(engine: Engine, roster: Roster) -> None:
    """Write `roster`, as often as one likes: standings of reps who are there already stay as they are."""
    content = {"reps": [_plain(rep) for rep in roster.reps.values()]}
    now = datetime.now(UTC)
    with engine.begin() as connection:
        reps = [{"id": name} for name in sorted(roster.reps)]
        connection.execute(insert(RepRow).on_conflict_do_nothing(), reps)
        version = insert(RosterVersion).values(hash=roster.hash, content=content, applied_at=now)
        connection.execute(version.on_conflict_do_update(index_elements=["hash"], set_={"applied_at": now}))


def _plain(rep: Rep) -> dict[str, Any]:
    return {
        "id": rep.id,
        "name": rep.name,
        "email": rep.email,
        "team": rep.team,
        "weight": rep.weight,
        "capacity": rep.capacity,
        "daily_cap": rep.daily_cap,
        "calendar": rep.calendar.id if rep.calendar else None,
        "skills": sorted(rep.skills),
    }
