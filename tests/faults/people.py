"""People of a closed form for the whole path: what becomes of person n follows from n alone.

Person n views n mod 5 pages. Every second person is a head and says so with the first event; every third asks for a
demo in the end. Some of what they send comes twice, and some records are no JSON at all, alone and in bursts that stay
below what opens the breaker; some of these stand in the topics between the stages, where no stage has written them.
"""

from __future__ import annotations

import json
from typing import NamedTuple

SOURCE, POISONED = "marketing.events", ("leads.events", "leads.scored")
RUBBISH = b'{"event_id": '
STRANGE: list[tuple[str, str | bytes | None]] = [("baton_replay_of", b"nothing")]
"""By this header an audit knows what no stage wrote."""


class Expected(NamedTuple):
    """What a person must be in the end. `events` counts distinct ones."""

    events: int
    views: int
    fit: float
    engagement: float
    grade: str
    stage: str
    queue: str | None


def email(person: int) -> str:
    return f"p{person}@firm{person % 97}.com"


def records(person: int) -> list[bytes]:
    """What a person sends, in order, with what comes twice and what nobody can read."""
    kinds = ["form_submitted"] + ["page_viewed"] * (person % 5) + ["demo_requested"] * (person % 3 == 0)
    sent = [
        json.dumps(
            {
                "event_id": f"{person}-{step}",
                "type": kind,
                "occurred_at": f"2026-05-0{step + 1}T10:00:00Z",
                "source": "website",
                "subject": {"email": email(person)},
                "attributes": {"job_title": "head"} if person % 2 == 0 and step == 0 else {},
                "properties": {"path": "/pricing"},
            }
        ).encode()
        for step, kind in enumerate(kinds)
    ]
    if person % 7 == 0:
        sent.append(sent[0])
    return sent + [RUBBISH] * rubbish_after(person)


def rubbish_after(person: int) -> int:
    """How much of it follows what a person sends."""
    return 40 if person % 1_009 == 500 else int(person % 23 == 0)


def poison_after(person: int) -> int:
    """How much of it stands in each of the topics between the stages, once a person was sent.

    So little that the poison of a burst of people, which overtakes them, opens no breaker.
    """
    return 30 if person % 3_001 == 500 else int(person % 211 == 0)


def order(person: int) -> list[str]:
    """Ids of a person's events, each where it came first."""
    return [f"{person}-{step}" for step in range(expected(person).events)]


def expected(person: int) -> Expected:
    """By hand: a form, 20 points a page, 60 for a head; grades begin at 75, 50, 25; whoever asks for a demo goes on."""
    views, head, asked = person % 5, person % 2 == 0, person % 3 == 0
    digit = {0: 4, 1: 4, 2: 3, 3: 2, 4: 1}[views]
    return Expected(
        events=1 + views + asked,
        views=views,
        fit=60.0 if head else 0.0,
        engagement=20.0 * views,
        grade=f"{'B' if head else 'D'}{digit}",
        stage="mql" if asked else "inquiry",
        queue=("heads" if head else "general") if asked else None,
    )
