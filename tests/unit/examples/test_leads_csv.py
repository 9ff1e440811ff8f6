"""The converter of the online course provider's lead file."""

from __future__ import annotations

import importlib.util
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas import MarketingEvent

PROGRAM = Path(__file__).parents[3] / "config" / "examples" / "leads_csv.py"
SPEC = importlib.util.spec_from_file_location("leads_csv", PROGRAM)
assert SPEC is not None
assert SPEC.loader is not None
leads_csv = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(leads_csv)

UNTIL = datetime(2026, 3, 31, tzinfo=UTC)
HEADER = (
    "Prospect ID,Lead Number,Lead Origin,Lead Source,Do Not Email,Do Not Call,Converted,TotalVisits,"
    "Total Time Spent on Website,Page Views Per Visit,Last Activity,Country,Specialization,"
    "How did you hear about X Education,Tags,Lead Quality,City,A free copy of Mastering The Interview,\n"
)
READER = (
    "p-1,1000,Landing Page Submission,Google,No,No,1,3,100,1.5,Email Link Clicked,India,Select,Other,"
    "Hot,Best,Mumbai,Yes,\n"
)
CHATTER = "p-2,1030,API,Olark Chat,Yes,No,0,0,0,0,SMS Sent,,,,Ringing,Worst,,No,\n"
LEAVER = (
    "p-3,1060,Landing Page Submission,Direct Traffic,No,Yes,0,1,7,1,Unsubscribed,unknown,Marketing,Select,"
    ",,Select,No,\n"
)
CRAWLER = "p-4,1090,API,bing,No,No,0,251,0,1,Page Visited on Website,India,,,,,,No,\n"
RECOMMENDED = "p-5,1120,Lead Add Form,Reference,No,No,1,,,,Had a Phone Conversation,,,,Closed,,,No,\n"


def converted(*rows: str, complaints: list[str] | None = None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = leads_csv.convert(
        io.StringIO(HEADER + "".join(rows)), UNTIL, [] if complaints is None else complaints
    )
    return made


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_a_reader_leaves_visits_a_form_a_guide_and_a_click_in_the_order_of_time() -> None:
    assert types(converted(READER)) == [
        "page_viewed", "page_viewed", "page_viewed", "form_submitted", "content_downloaded", "email_opened",
        "email_clicked",
    ]  # fmt: skip


def test_the_time_on_the_site_is_spread_over_the_visits_and_adds_up() -> None:
    visits = [event["properties"] for event in converted(READER) if event["type"] == "page_viewed"]

    assert [visit["seconds"] for visit in visits] == [33, 33, 34]
    assert [visit["seconds_so_far"] for visit in visits] == [33, 66, 100]


def test_the_form_carries_what_the_person_said_and_leaves_out_what_they_did_not() -> None:
    form = next(event for event in converted(READER) if event["type"] == "form_submitted")

    assert form["attributes"] == {"country": "India", "city": "Mumbai", "heard_from": "Other"}
    assert form["properties"] == {"form_id": "landing-page-submission"}
    assert form["campaign"] == {"source": "google", "medium": "search"}
    assert form["subject"] == {"external_id": "p-1"}


def test_an_objection_to_mail_or_calls_is_a_refused_consent() -> None:
    said = {
        event["subject"]["external_id"]: {word["purpose"]: word["granted"] for word in event["consent"]}
        for event in converted(CHATTER, LEAVER)
        if event["type"] == "form_submitted"
    }

    assert said == {
        "p-2": {"marketing_email": False, "phone": True},
        "p-3": {"marketing_email": True, "phone": False},
    }


def test_who_came_by_chat_has_chatted_and_what_sales_did_is_left_out() -> None:
    assert types(converted(CHATTER)) == ["chat_started", "form_submitted"]
    assert types(converted(RECOMMENDED)) == ["form_submitted"]


def test_an_unsubscription_withdraws_the_consent_to_mail() -> None:
    last = converted(LEAVER)[-1]

    assert last["type"] == "unsubscribed"
    assert [(word["purpose"], word["granted"]) for word in last["consent"]] == [("marketing_email", False)]


def test_a_crawlers_visits_are_bounded() -> None:
    assert types(converted(CRAWLER)).count("page_viewed") == 40 + 1  # the one of `Last Activity` comes on top


def test_lead_numbers_become_times_two_minutes_apart_that_end_before_the_given_day() -> None:
    forms = [event["occurred_at"] for event in converted(READER, LEAVER) if event["type"] == "form_submitted"]

    assert forms == ["2026-03-27T22:00:00Z", "2026-03-28T00:00:00Z"]  # 60 numbers apart; three days before the end


def test_nothing_that_sales_wrote_reaches_an_event() -> None:
    text = json.dumps(converted(READER, CHATTER, LEAVER, CRAWLER, RECOMMENDED))

    for word in ("Hot", "Best", "Ringing", "Worst", "Closed", "Converted", "SMS", "Phone Conversation"):
        assert word not in text


def test_every_event_keeps_the_schema_and_has_an_id_of_its_own() -> None:
    events = converted(READER, CHATTER, LEAVER, CRAWLER, RECOMMENDED)
    for event in events:
        MarketingEvent.model_validate(event)

    assert len({event["event_id"] for event in events}) == len(events)


def test_the_same_file_gives_the_same_events_whatever_the_order_of_its_rows() -> None:
    assert converted(READER, CHATTER, LEAVER) == converted(LEAVER, READER, CHATTER)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (READER.replace("1000", "soon"), "line 2: Lead Number is 'soon', not a number"),
        (READER.replace(",3,100,", ",many,100,"), "line 2: TotalVisits is 'many', not a number"),
        (READER.replace(",3,100,", ",3,inf,"), "line 2: Total Time Spent on Website is 'inf', not a count"),
        (READER.replace("p-1", ""), "line 2: Prospect ID is missing"),
    ],
)
def test_a_row_of_no_use_is_named_and_its_neighbours_are_taken(row: str, complaint: str) -> None:
    complaints: list[str] = []
    events = converted(row, CHATTER, complaints=complaints)

    assert complaints == [complaint]
    assert {event["subject"]["external_id"] for event in events} == {"p-2"}
