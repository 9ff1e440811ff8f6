"""The shape in which HubSpot's forms are submitted, which many form builders speak. Pure.

Source: HubSpot, Forms API v3, `submissions/v3/integration/submit/{portalId}/{formGuid}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

_COMPANY = "0-2"


def is_hubspot(data: Mapping[str, Any]) -> bool:
    """Whether a JSON form has this shape."""
    fields = data.get("fields")
    return isinstance(fields, list) and all(isinstance(one, dict) and "name" in one for one in fields)


def pairs(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields, and what the context says of browser and page. The IP address is left out."""
    for field in data["fields"]:
        name = str(field["name"])
        yield ("company" if field.get("objectTypeId") == _COMPANY and name == "name" else name), field.get("value")
    context = data.get("context")
    if isinstance(context, dict):
        for theirs, ours in (("hutk", "anonymous_id"), ("pageUri", "url"), ("pageName", "title_of_page")):
            if context.get(theirs):
                yield ours, context[theirs]


def consents(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The words of consent, as `Consent` has them."""
    options = data.get("legalConsentOptions")
    if not isinstance(options, dict):
        return []
    found = []
    consent = options.get("consent")
    if isinstance(consent, dict):
        if isinstance(consent.get("consentToProcess"), bool):
            found.append(_word("processing", granted=consent["consentToProcess"], basis="consent"))
        communications = consent.get("communications")
        listed = communications if isinstance(communications, list) else []
        words = [one.get("value") for one in listed if isinstance(one, dict)]
        if words:
            found.append(_word("marketing_email", granted=any(word is True for word in words), basis="consent"))
    interest = options.get("legitimateInterest")
    if isinstance(interest, dict) and isinstance(interest.get("value"), bool):
        found.append(_word("marketing_email", granted=interest["value"], basis="legitimate_interest"))
    return found


def submitted_at(data: Mapping[str, Any]) -> datetime | None:
    """`submittedAt`, in milliseconds since the epoch, as a number or as text; None where it says nothing."""
    try:
        return (
            datetime.fromtimestamp(int(data.get("submittedAt") or 0) / 1000, UTC) if data.get("submittedAt") else None
        )
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _word(purpose: str, *, granted: bool, basis: str) -> dict[str, Any]:
    return {"purpose": purpose, "granted": granted, "basis": basis}
