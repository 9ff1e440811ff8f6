import json
from typing import Any

import pytest

from baton.explain import dossier
from baton.explain.history import history
from baton.explain.identifiers import identifiers
from baton.settings import Settings

JUNK = [b'{"a":', b"{}", b"\xff", b"[]", b"", b"null"]


def event(event_id: str, at: str, **more: Any) -> bytes:
    inner = {
        "event_id": event_id, "type": "page_viewed", "occurred_at": at, "source": "website",
        "subject": {"email": "kim@acme.example"},
    }  # fmt: skip
    identity = {"kind": "email", "links": []}
    return json.dumps({"lead_id": "l", "event": inner, "identity": identity, "received_at": at} | more).encode()


def scored(transition: dict[str, Any] | None) -> bytes:
    lead = {
        "lead_id": "l", "event_id": "e-1", "fit": 90, "engagement": 60, "grade": "A1", "stage": "mql",
        "rules_hash": "x", "as_of": "2026-11-02T09:00:00Z", "transition": transition,
    }  # fmt: skip
    return json.dumps(lead).encode()


def test_of_two_records_with_one_event_id_the_first_is_told_as_scoring_counts_it() -> None:
    told = history([event("e-1", "2026-11-02T09:00:00Z"), event("e-1", "2026-11-05T09:00:00Z")], [])

    assert [one["event"]["occurred_at"] for one in told.events] == ["2026-11-02T09:00:00Z"]


def test_events_are_told_by_time() -> None:
    told = history([event("late", "2026-11-03T09:00:00Z"), event("early", "2026-11-02T09:00:00Z")], [])

    assert [one["event"]["event_id"] for one in told.events] == ["early", "late"]


def test_records_that_cannot_be_read_are_left_out_and_counted() -> None:
    move = {"from": "inquiry", "to": "mql", "reason": "raised a hand"}

    told = history([*JUNK, event("e-1", "2026-11-02T09:00:00Z")], [*JUNK, scored(move), scored(None)])

    assert [one["event"]["event_id"] for one in told.events] == ["e-1"]
    assert told.transitions == [move | {"at": "2026-11-02T09:00:00Z"}]
    assert told.unreadable == 2 * len(JUNK)


@pytest.mark.usefixtures("clean_environment")
def test_the_last_score_of_a_lead_that_the_ledger_does_not_know_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    move = {"from": "inquiry", "to": "mql", "reason": "raised a hand"}
    records = {"events": [event("e-1", "2026-11-02T09:00:00Z")], "scored": [scored(None), scored(move)]}
    monkeypatch.setenv("BATON_KAFKA", "nowhere:1")
    monkeypatch.setattr(dossier, "_ledger", lambda *_: None)
    monkeypatch.setattr(dossier, "_values", lambda _, topic, of: records[topic.rpartition(".")[2]])
    told = dossier.gather(Settings(), "l")

    assert told.score["transition"] == move
    assert told.score["grade"] == "A1"


@pytest.mark.parametrize("junk", [b"x", b'{"subject": {"email": "maxx@example.com"}}', b'{"x": "x"}', b'"x"', b"\xff"])
def test_a_record_that_only_holds_the_letters_is_not_about_somebody(junk: bytes) -> None:
    assert "x" not in identifiers(b"k", junk)


def test_a_record_is_about_whom_it_names_in_whatever_spelling() -> None:
    value = b'{"specversion": "1.0", "data": [{"E-Mail": "Kim@Acme.example", "phone": "+49 30 901820"}]}'

    assert identifiers(b"Door-1", value) == {"door-1", "kim@acme.example", "+4930901820"}
