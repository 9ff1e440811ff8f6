"""What a lead's records in Kafka tell, in the order in which they were written. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from schemas import ScoredLead
from schemas.fast import Unreadable, lead_event


@dataclass(slots=True)
class History:
    """`events`: `LeadEvent`s by time. `transitions`: each with `at`. `score`: the last `ScoredLead`, empty without one.

    `unreadable`: records that could not be read.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    score: dict[str, Any] = field(default_factory=dict)
    unreadable: int = 0


def history(events: Iterable[bytes], scored: Iterable[bytes]) -> History:
    """Of the values of the lead's records. Of several with one event id the first counts, as it does for scoring."""
    found = History()
    first: dict[str, dict[str, Any]] = {}
    for value in events:
        try:
            event = lead_event(value).tree
        except Unreadable:
            found.unreadable += 1
        else:
            first.setdefault(event["event"]["event_id"], event)
    found.events = sorted(
        first.values(), key=lambda one: (str(one["event"]["occurred_at"]), str(one["event"]["event_id"]))
    )
    for value in scored:
        try:
            lead = ScoredLead.model_validate_json(value).model_dump(mode="json", by_alias=True)
        except ValidationError:
            found.unreadable += 1
            continue
        found.score = lead
        if lead["transition"]:
            found.transitions.append(lead["transition"] | {"at": lead["as_of"]})
    return found
