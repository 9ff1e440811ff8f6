"""A small world of sales for the tests of routing: people, queues, scored leads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rules.document import parse
from schemas import ScoredLead
from services.routing import plan as plans
from services.routing import roster as rosters
from services.routing.plan import Plan

NOON = datetime(2026, 9, 24, 12, 0, tzinfo=UTC).timestamp()  # a Thursday

ROSTER = """
reps:
  - {id: ana, team: emea, weight: 2, skills: [enterprise]}
  - {id: bo, team: emea, weight: 1, skills: [enterprise]}
  - {id: cem, team: inbound}
  - {id: dee, team: inbound}
"""

ROUTING = """
suppress:
  - {when: {field: quality, contains: test}, reason: test lead}
queues:
  - {id: enterprise, pool: {team: emea, skills: [enterprise]}}
  - {id: general, pool: {team: inbound}}
rules:
  - {id: big, when: {field: segments, contains: enterprise}, queue: enterprise, priority: high}
  - {id: rest, otherwise: true, queue: general}
"""


def plan(routing: str = ROUTING, roster: str = ROSTER) -> Plan:
    return plans.read(parse(routing, "routing.yaml"), rosters.read(parse(roster, "roster.yaml")))


def lead(name: str, **fields: Any) -> ScoredLead:
    """A lead that has just become an MQL, unless `fields` say otherwise."""
    values: dict[str, Any] = {
        "lead_id": name,
        "event_id": f"event-of-{name}",
        "fit": 80,
        "engagement": 95,
        "grade": "A1",
        "stage": "mql",
        "transition": {"from": "inquiry", "to": "mql", "reason": "asked for a demo"},
        "person": {"email": f"{name}@example.com", "full_name": name.title(), "company": "Example"},
        "explanation": [{"rule": "demo", "kind": "engagement", "points": 60, "from_points": 60}],
        "rules_hash": "scoring",
        "as_of": "2026-09-24T11:59:58Z",
    }
    return ScoredLead.model_validate(values | fields)
