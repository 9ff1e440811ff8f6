"""What conditions of `scoring.yaml` may speak of.

Each part of the file sees only what keeps a score a function of the set of the lead's events: engagement rules see the
event at hand, fit rules what is known of the lead, segments the scores too. Only `qualify` sees all of it, since a
lead qualifies at one event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rules.values import instant_of
from rules.vocabulary import Field, Kind, Words
from schemas import Attributes, Campaign, Subject

DERIVED = {"email_kind": "kind of e-mail address", "seniority": "seniority", "function": "function in the company"}
_NUMBERS = {"employees"}
_EVENT_TIMES = ("occurred_at", "received_at")


class View(msgspec.Struct, gc=False):
    """What conditions look at: the subject of every field below.

    `event` is the `MarketingEvent` as JSON has it; `person` has subject, attributes, what is derived, and `extra`.
    """

    event: Mapping[str, Any] = msgspec.field(default_factory=dict)
    person: Mapping[str, Any] = msgspec.field(default_factory=dict)
    first: Mapping[str, Any] = msgspec.field(default_factory=dict)
    last: Mapping[str, Any] = msgspec.field(default_factory=dict)
    consent: Mapping[str, bool] = msgspec.field(default_factory=dict)
    quality: Sequence[str] = ()
    fit: float = 0.0
    engagement: float = 0.0
    grade: str = "D4"
    stage: str = "inquiry"
    segments: Sequence[str] = ()
    conversion_probability: float | None = None


def _person(name: str) -> Callable[[View], Any]:
    return lambda view: view.person.get(name)


def _extra(name: str) -> Field:
    return Field("any", lambda view: _below(view.person.get("extra"), name))


def _consent(purpose: str) -> Field:
    return Field("boolean", lambda view: view.consent.get(purpose), f"consent to {purpose}")


def _first(name: str) -> Callable[[View], Any]:
    return lambda view: view.first.get(name)


def _last(name: str) -> Callable[[View], Any]:
    return lambda view: view.last.get(name)


def _event(name: str) -> Callable[[View], Any]:
    return lambda view: view.event.get(name)


def _event_part(part: str, name: str) -> Callable[[View], Any]:
    def get(view: View) -> Any:
        inner = view.event.get(part)
        return None if inner is None else inner.get(name)

    return get


def _event_time(name: str) -> Callable[[View], Any]:
    return lambda view: instant_of(view.event.get(name))


def _property(name: str) -> Field:
    words = name.replace("_", " ").replace(".", " ")
    if "." not in name:
        return Field("any", _event_part("properties", name), words)
    return Field("any", lambda view: _below(view.event.get("properties"), name), words)


def _below(holder: Any, path: str) -> Any:
    """The member `path` of `holder`; where it has none of that name, dots lead into members of members."""
    if not isinstance(holder, Mapping):
        return None
    if path in holder:
        return holder[path]
    head, dot, rest = path.partition(".")
    return _below(holder.get(head), rest) if dot else None


def _known_of_person() -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for name in (*Subject.model_fields, *Attributes.model_fields, *DERIVED):
        kind: Kind = "number" if name in _NUMBERS else "text"
        fields[f"person.{name}"] = Field(kind, _person(name), DERIVED.get(name, name.replace("_", " ")))
    for name in Campaign.model_fields:
        fields[f"campaign.first.{name}"] = Field("text", _first(name), f"first campaign's {name}")
        fields[f"campaign.last.{name}"] = Field("text", _last(name), f"last campaign's {name}")
    fields["quality"] = Field("list", lambda view: view.quality, "quality")
    return fields


def _known_of_event() -> dict[str, Field]:
    fields: dict[str, Field] = {
        "event.event_id": Field("text", _event("event_id")),
        "event.type": Field("text", _event("type")),
        "event.source": Field("text", _event("source")),
        "event.is_test": Field("boolean", _event("is_test")),
        "event.schema_version": Field("number", _event("schema_version")),
    }
    for name in _EVENT_TIMES:
        fields[f"event.{name}"] = Field("time", _event_time(name))
    for part, model in (("subject", Subject), ("attributes", Attributes), ("campaign", Campaign)):
        for name in model.model_fields:
            kind: Kind = "number" if name in _NUMBERS else "text"
            fields[f"event.{part}.{name}"] = Field(kind, _event_part(part, name))
    return fields


_PERSON = _known_of_person()
_EVENT = _known_of_event()
_SCORES: dict[str, Field] = {
    "fit": Field("number", lambda view: view.fit, "fit"),
    "engagement": Field("number", lambda view: view.engagement, "engagement"),
    "grade": Field("text", lambda view: view.grade, "grade"),
    "conversion_probability": Field("number", lambda view: view.conversion_probability, "conversion probability"),
}
_STANDING: dict[str, Field] = {
    "stage": Field("text", lambda view: view.stage, "stage"),
    "segments": Field("list", lambda view: view.segments, "segments"),
}
_OPEN_PERSON: dict[str, Callable[[str], Field]] = {"person.extra.": _extra, "consent.": _consent}
_OPEN_EVENT: dict[str, Callable[[str], Field]] = {"event.properties.": _property}

ENGAGEMENT = Words(_EVENT, _OPEN_EVENT)
FIT = Words(_PERSON, _OPEN_PERSON)
SEGMENTS = Words({**_PERSON, **_SCORES}, _OPEN_PERSON)
QUALIFY = Words({**_PERSON, **_EVENT, **_SCORES, **_STANDING}, {**_OPEN_PERSON, **_OPEN_EVENT})
