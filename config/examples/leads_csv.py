"""Turn a CSV of leads, as the online course provider "X Education" exported it, into Baton's events.

    python config/examples/leads_csv.py leads.csv > events.jsonl
    baton send events.jsonl

Each lead becomes what the person did, and nothing that the provider's sales people wrote or did later: visits with
their time on the site, the form, the guide that was asked for, mails opened and clicked, chats, an unsubscription.

The file gives no times, only numbers that count up, so times are made: two minutes a lead number, the newest lead
three days before `--until`. They depend on the row, `--until` and the newest number alone: the same file gives the
same events.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO
from uuid import NAMESPACE_URL, uuid5

Row = Mapping[str, str]
Event = dict[str, Any]

SOURCE = "courses"
PER_NUMBER = timedelta(minutes=2)
LAST_LEAD_BEFORE_END = timedelta(days=3)
MOST_VISITS = 40
"""More visits than this are one event: a crawler's 251 say no more than 40."""

NO_ANSWER = {"", "select", "unknown"}
MEDIA = {
    "google": "search", "bing": "search", "organic search": "organic", "direct traffic": "direct", "olark chat": "chat",
    "reference": "referral", "referral sites": "referral", "social media": "social", "facebook": "social",
    "welingak website": "partner",
}  # fmt: skip

AFTERWARDS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "email opened": [("email_opened", {})],
    "email link clicked": [("email_opened", {}), ("email_clicked", {})],
    "view in browser link clicked": [("email_opened", {}), ("email_clicked", {"link": "view in browser"})],
    "email marked spam": [("email_marked_spam", {})],
    "olark chat conversation": [("chat_started", {})],
    "page visited on website": [("page_viewed", {})],
    "form submitted on website": [("form_submitted", {"form_id": "website"})],
    "unsubscribed": [("unsubscribed", {})],
}
"""What the person did, by `Last Activity`. What is missing here was done by sales or by a machine."""


class UnusableRow(Exception):
    """A row that no lead can be made of; the message names the column."""


def answer(row: Row, column: str) -> str | None:
    """The answer in `column`; None where there is none."""
    text = (row.get(column) or "").strip()
    return None if text.lower() in NO_ANSWER else text


def number(row: Row, column: str) -> float:
    """The number in `column`, 0 where it is empty. Raises `UnusableRow`."""
    text = answer(row, column) or "0"
    try:
        value = float(text)
    except ValueError:
        raise UnusableRow(f"{column} is {text!r}, not a number") from None
    if not 0 <= value < 1e9:
        raise UnusableRow(f"{column} is {text!r}, not a count")
    return value


def lead_number(row: Row) -> int:
    """The lead's place in time. Raises `UnusableRow`."""
    text = answer(row, "Lead Number")
    if text is None or not text.isdecimal():
        raise UnusableRow(f"Lead Number is {text!r}, not a number")
    return int(text)


def pace(prospect: str) -> timedelta:
    """Time between two visits of this person: 2 to 14 hours, always the same for the same person."""
    return timedelta(seconds=2 * 3600 + uuid5(NAMESPACE_URL, prospect).int % (12 * 3600))


def campaign(row: Row) -> dict[str, str]:
    """Where the person came from, in the words of UTM."""
    source = answer(row, "Lead Source")
    if source is None:
        return {}
    medium = MEDIA.get(source.lower())
    return {"source": source.lower()} | ({"medium": medium} if medium else {})


def events(row: Row, captured: datetime) -> Iterator[Event]:
    """The events of one lead that left its contact data at `captured`. Raises `UnusableRow`."""
    prospect, lead = answer(row, "Prospect ID"), lead_number(row)
    if prospect is None:
        raise UnusableRow("Prospect ID is missing")

    def event(what: str, kind: str, at: datetime, **others: Any) -> Event:
        return {
            "event_id": f"{SOURCE}-{lead}-{what}",
            "type": kind,
            "occurred_at": at.isoformat().replace("+00:00", "Z"),
            "source": SOURCE,
            "subject": {"external_id": prospect},
            "campaign": campaign(row),
            **others,
        }

    gap, total = pace(prospect), int(number(row, "Total Time Spent on Website"))
    visits, pages = min(int(number(row, "TotalVisits")), MOST_VISITS), number(row, "Page Views Per Visit")
    for visit in range(1, visits + 1):
        so_far = total * visit // visits
        properties = {
            "visit": visit,
            "pages": pages,
            "seconds": so_far - total * (visit - 1) // visits,
            "seconds_so_far": so_far,
        }
        at = captured - (visits - visit) * gap - timedelta(minutes=10)
        yield event(f"visit-{visit}", "page_viewed", at, properties=properties)
    if (answer(row, "Lead Source") or "").lower() == "olark chat":
        yield event("chat", "chat_started", captured - timedelta(minutes=5))
    yield event("form", "form_submitted", captured, **_form(row))
    if answer(row, "A free copy of Mastering The Interview") == "Yes":
        guide = {"title": "Mastering The Interview"}
        yield event("guide", "content_downloaded", captured + timedelta(minutes=3), properties=guide)
    for place, (kind, properties) in enumerate(AFTERWARDS.get((answer(row, "Last Activity") or "").lower(), [])):
        at = captured + gap + place * timedelta(minutes=1)
        withdrawn = {"consent": [_consent("marketing_email", granted=False)]} if kind == "unsubscribed" else {}
        yield event(f"after-{place + 1}", kind, at, properties=properties, **withdrawn)


def _form(row: Row) -> dict[str, Any]:
    """What the person left: attributes, the form, and what they do not want."""
    attributes = {
        "country": answer(row, "Country"),
        "city": answer(row, "City"),
        "specialization": answer(row, "Specialization"),
        "heard_from": answer(row, "How did you hear about X Education"),
    }
    return {
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        "properties": {"form_id": (answer(row, "Lead Origin") or "other").lower().replace(" ", "-")},
        "consent": [
            _consent("marketing_email", granted=answer(row, "Do Not Email") != "Yes"),
            _consent("phone", granted=answer(row, "Do Not Call") != "Yes"),
        ],
    }


def _consent(purpose: str, *, granted: bool) -> dict[str, Any]:
    return {"purpose": purpose, "granted": granted, "basis": "legitimate_interest"}


def convert(lines: TextIO, until: datetime, complaints: list[str]) -> list[Event]:
    """The events of all leads of a CSV file, in the order of time. A row that is of no use becomes a complaint."""
    rows: list[tuple[int, int, Row]] = []
    reader = csv.DictReader(lines)
    for row in reader:
        try:
            rows.append((reader.line_num, lead_number(row), row))
        except UnusableRow as reason:
            complaints.append(f"line {reader.line_num}: {reason}")
    newest = max((lead for _, lead, _ in rows), default=0)
    found: list[Event] = []
    for line, lead, parsed in rows:
        captured = until - LAST_LEAD_BEFORE_END - (newest - lead) * PER_NUMBER
        try:
            found.extend(events(parsed, captured))
        except UnusableRow as reason:
            complaints.append(f"line {line}: {reason}")
    return sorted(found, key=lambda event: (event["occurred_at"], event["event_id"]))


def main() -> None:
    """The command line: exit code 1 where rows were left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--until", type=datetime.fromisoformat, metavar="TIME", help="RFC 3339; the last midnight (UTC) by default"
    )
    given = parser.parse_args()
    until = given.until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if until.tzinfo is None:
        parser.error("--until needs a zone: 2026-01-31T00:00:00Z")
    complaints: list[str] = []
    with given.file.open(encoding="utf-8-sig", newline="") as lines:
        found = convert(lines, until.astimezone(UTC), complaints)
    for event in found:
        print(json.dumps(event, separators=(",", ":")))
    leads = len({event["subject"]["external_id"] for event in found})
    print(f"{len(found)} events of {leads} leads, until {until.isoformat()}", file=sys.stderr)
    for complaint in complaints:
        print(f"left out: {complaint}", file=sys.stderr)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
