"""What conditions of routing may speak of: a scored lead (`schemas.ScoredLead`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rules.vocabulary import Field, Kind, Words
from schemas import Attributes, Campaign, Subject

_NUMBERS = {"employees"}
_DERIVED = {
    "email_kind": "kind of e-mail address",
    "seniority": "seniority",
    "function": "function in the company",
}


def _person(name: str) -> Callable[[Any], Any]:
    return lambda lead: lead.person.get(name)


def _extra(name: str) -> Field:
    return Field("any", lambda lead: (lead.person.get("extra") or {}).get(name))


def _consent(purpose: str) -> Field:
    return Field("boolean", lambda lead: lead.consent.get(purpose), f"consent to {purpose}")


def _account(name: str) -> Field:
    return Field("any", lambda lead: ((lead.model_extra or {}).get("account") or {}).get(name))


def _touch(which: str, name: str) -> Callable[[Any], Any]:
    return lambda lead: getattr(getattr(lead.campaign, which), name, None)


def _epoch(at: datetime) -> float:
    return at.timestamp()


def _known() -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for name in (*Subject.model_fields, *Attributes.model_fields, *_DERIVED):
        kind: Kind = "number" if name in _NUMBERS else "text"
        fields[f"person.{name}"] = Field(kind, _person(name), _DERIVED.get(name, name.replace("_", " ")))
    for which in ("first", "last"):
        for name in Campaign.model_fields:
            fields[f"campaign.{which}.{name}"] = Field("text", _touch(which, name), f"{which} campaign's {name}")
    fields |= {
        "fit": Field("number", lambda lead: lead.fit),
        "engagement": Field("number", lambda lead: lead.engagement),
        "grade": Field("text", lambda lead: lead.grade),
        "stage": Field("text", lambda lead: lead.stage),
        "segments": Field("list", lambda lead: lead.segments),
        "quality": Field("list", lambda lead: lead.quality),
        "conversion_probability": Field("number", lambda lead: lead.conversion_probability),
        "as_of": Field("time", lambda lead: _epoch(lead.as_of), "last activity"),
    }
    return fields


SCORED_LEAD = Words(_known(), {"person.extra.": _extra, "consent.": _consent, "account.": _account})
