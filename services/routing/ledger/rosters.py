"""Taking a roster over into the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from services.routing.calendars import instant
from services.routing.ledger.models import RepRow, RosterVersion
from services.routing.ledger.store import Ledger
from services.routing.roster import Rep, Roster


def apply_roster(ledger: Ledger, roster: Roster, now: float) -> bool:
    """Note `roster` as applied, and give each new rep a standing; False where that very roster was applied before.

    Standings of reps stay as they are: neither a new weight nor a new capacity changes what they hold. Raises
    `TransientError`.
    """
    version = {
        "hash": roster.hash,
        "content": {"reps": [_content(rep) for rep in roster.reps.values()]},
        "applied_at": instant(now),
    }
    new = insert(RosterVersion).values(version).on_conflict_do_nothing().returning(RosterVersion.hash)
    with ledger.unit() as unit:
        reps = [{"id": name} for name in sorted(roster.reps)]
        unit.connection.execute(insert(RepRow).on_conflict_do_nothing(), reps)
        return unit.connection.execute(new).first() is not None


def _content(rep: Rep) -> dict[str, Any]:
    return {
        "id": rep.id,
        "name": rep.name,
        "email": rep.email,
        "team": rep.team,
        "weight": rep.weight,
        "capacity": rep.capacity,
        "daily_cap": rep.daily_cap,
        "calendar": None if rep.calendar is None else rep.calendar.id,
        "skills": sorted(rep.skills),
    }
