import copy
from typing import Any

from rich.console import Console

from baton.explain.dossier import Dossier, id_of
from baton.explain.page import page
from schemas.ids import lead_id

DECISION = {
    "rule": "emea-enterprise",
    "queue": "emea-enterprise",
    "turn": 9,
    "method": "weighted_round_robin",
    "candidates": [
        {"rep": "ana", "eligible": True, "reason": "had 5 of 8"},
        {"rep": "bo", "eligible": True, "reason": "next in turn"},
        {"rep": "chloe", "eligible": False, "reason": "lacks the skill enterprise"},
    ],
    "rules_hash": "3dbb8901c3e1ffff",
    "roster_hash": "6475d5952bd4ffff",
}
ASSIGNMENT = {
    "assignment_id": "a",
    "queue": "emea-enterprise",
    "rep": "bo",
    "status": "offered",
    "reason": "next in turn",
    "respond_by": "2026-11-02T13:15:07+00:00",
    "decision": DECISION,
    "history": [
        {
            "queue": "emea-enterprise",
            "rep": "bo",
            "status": "offered",
            "reason": "next in turn",
            "occurred_at": "2026-11-02T09:15:07+00:00",
            "decision": DECISION,
        }
    ],
}
SCORE = {
    "fit": 90.0,
    "engagement": 52.5,
    "grade": "A2",
    "stage": "mql",
    "as_of": "2026-11-02T09:15:07Z",
    "rules_hash": "b6b83caca1c6ffff",
    "segments": ["enterprise"],
    "consent": {"marketing_email": True},
    "person": {"full_name": "Kim Doe", "job_title": "VP Sales", "company": "Acme", "email": "kim@acme.example"},
    "explanation": [
        {"rule": "decision-maker", "kind": "fit", "points": 100, "from_points": 100, "detail": "seniority is vp"},
        {"rule": "max:fit", "kind": "fit", "points": -10, "from_points": -10, "detail": "fit ends at 90"},
        {"rule": "webinar", "kind": "engagement", "points": 12.5, "from_points": 25, "detail": "linear"},
        {"rule": "demo", "kind": "engagement", "points": 40, "from_points": 40, "detail": "30 days"},
    ],
}
EVENT: dict[str, Any] = {
    "event": {
        "event_id": "e",
        "type": "demo_requested",
        "occurred_at": "2026-11-02T09:15:07Z",
        "source": "website",
        "properties": {"path": "/demo"},
        "campaign": {"source": "google", "medium": "cpc"},
        "attributes": {"full_name": "Kim Doe"},
    }
}
LEDGER = {"score": SCORE, "assignment": ASSIGNMENT, "assignments": [ASSIGNMENT], "suppression": None, "outcomes": []}
TRANSITION = {"from": "inquiry", "to": "mql", "reason": "raised a hand", "at": "2026-11-02T09:15:07Z"}


def text_of(dossier: Dossier) -> str:
    console = Console(width=140, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(page(dossier))
    return console.export_text()


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_page_tells_who_what_worth_why_and_where() -> None:
    text = words(text_of(Dossier("lead", [EVENT], [TRANSITION], LEDGER)))

    assert "Kim Doe — VP Sales, Acme" in text
    assert "Offered: with bo, in the queue emea-enterprise, to be answered by 2026-11-02 13:15:07." in text
    assert "2026-11-02 09:15:07 demo requested /demo google / cpc" in text
    assert "grade A2, stage mql" in text
    assert "+12.5 25 webinar linear" in text
    assert "What they did (1 event, times in UTC)" in text
    assert "-10 max:fit fit ends at 90" in text
    assert "inquiry → mql: raised a hand" in text


def test_every_candidate_is_listed_with_the_reason() -> None:
    text = words(text_of(Dossier("lead", [EVENT], [TRANSITION], LEDGER)))

    for line in ("ana yes had 5 of 8", "bo yes next in turn", "chloe no lacks the skill enterprise"):
        assert line in text


def test_a_lead_that_is_not_qualified_is_said_to_be_with_marketing() -> None:
    score = SCORE | {"stage": "inquiry"}
    ledger = LEDGER | {"score": score, "assignment": None, "assignments": []}

    text = text_of(Dossier("lead", [EVENT], [], ledger))

    assert "With marketing: its stage is inquiry" in text
    assert "Who gets it" not in text


def test_a_suppressed_lead_says_why() -> None:
    ledger = LEDGER | {"assignment": None, "assignments": [], "suppression": {"reason": "test lead"}}

    assert "Nobody gets it: test lead." in text_of(Dossier("lead", [EVENT], [], ledger))


def test_a_lead_that_is_still_on_its_way_shows_its_events() -> None:
    text = text_of(Dossier("lead", [EVENT]))

    assert "On its way" in text
    assert "Not scored yet" in text
    assert "Kim Doe" in text


def test_a_lead_that_routing_has_not_taken_yet_shows_what_scoring_made_of_it() -> None:
    dossier = Dossier("lead", [EVENT], [TRANSITION], scored=SCORE)
    text = words(text_of(dossier))

    assert "Scored, and on its way: routing has not taken it yet." in text
    assert "grade A2, stage mql" in text
    assert "Not scored yet" not in text
    assert dossier.document()["score"] == SCORE


def test_what_routing_has_taken_counts_before_what_is_on_its_way() -> None:
    dossier = Dossier("lead", [EVENT], [TRANSITION], LEDGER, scored=SCORE | {"grade": "B1"})

    assert "grade A2, stage mql" in words(text_of(dossier))


def test_markup_in_what_people_wrote_is_only_text() -> None:
    event = copy.deepcopy(EVENT)
    event["event"]["properties"]["path"] = "[bold]/demo[/bold]"

    assert "[bold]/demo[/bold]" in text_of(Dossier("lead", [event], [], LEDGER))


def test_a_person_is_found_by_the_address_as_ingest_writes_it() -> None:
    assert id_of(" Kim@ACME.example ") == lead_id("email", "kim@acme.example")
    assert id_of("+49 30 23125 012") == lead_id("phone", "+493023125012")
    assert id_of("a92960c7-af7d-5911-91b6-d8bb920f7a27") == "a92960c7-af7d-5911-91b6-d8bb920f7a27"


def test_records_that_were_left_out_are_counted_on_the_page() -> None:
    assert "2 records with its key left out" in words(text_of(Dossier("lead", [EVENT], [], LEDGER, unreadable=2)))
    assert "left out" not in words(text_of(Dossier("lead", [EVENT], [], LEDGER)))
