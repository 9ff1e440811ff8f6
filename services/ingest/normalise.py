"""An event made uniform: the same person and company end in the same letters, whoever sent it. Pure.

What cannot be made uniform is never lost: it moves to an attribute `…_as_given` (further on `person.extra.*`), and a
verdict says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas import Attributes, Campaign, MarketingEvent, Subject
from services.ingest import companies, contacts
from services.ingest.fields import campaign_of_url, path_of_url
from services.ingest.spellings import words

NO_IDS = words(
    """null none nil nan undefined unknown anonymous guest 0 -1 n/a
    00000000-0000-0000-0000-000000000000"""
) | {"[object object]"}
"""What broken tags send for an id. Taken for one, they would make one lead of many strangers."""


class Normalised(NamedTuple):
    """The event, and what had to be left out of it: `invalid_email`, `invalid_phone`."""

    event: MarketingEvent
    verdicts: list[str]


def normalise(event: MarketingEvent, region: str | None = None) -> Normalised:
    """The event in uniform letters. `region` (alpha-2): the source's, for phone numbers without a country code.

    Doing it twice changes nothing.
    """
    attributes, spare = _attributes(event.attributes)
    subject, left_out = _subject(event.subject, attributes.get("country") or region, region)
    verdicts = [f"invalid_{name}" for name in left_out]
    spare |= {f"{name}_as_given": tidy(text) for name, text in left_out.items()}
    attributes |= _names(attributes) | _domain(attributes, subject.get("email"))
    return Normalised(
        event.model_copy(
            update={
                "subject": _with(event.subject, subject),
                "attributes": _with(event.attributes, attributes | spare),
                "campaign": _with(event.campaign, _campaign(event)),
                "properties": _properties(event.properties),
            }
        ),
        verdicts,
    )


def tidy(text: str) -> str | None:
    """`text` in Unicode's composed form, spaces made single; None where nothing is left."""
    return " ".join(unicodedata.normalize("NFC", text).split()) or None


def usable_id(text: str | None) -> str | None:
    """An identifier without space around it; None for what broken tags send in its place."""
    bare = (text or "").strip()
    return bare if bare and bare.lower() not in NO_IDS else None


def _subject(subject: Subject, country: str | None, region: str | None) -> tuple[dict[str, str | None], dict[str, str]]:
    left_out = {}
    email = contacts.email(subject.email) if subject.email else None
    if email is None and subject.email and subject.email.strip():
        left_out["email"] = subject.email.strip()
    phone = None
    if subject.phone and subject.phone.strip():
        phone = contacts.phone(subject.phone, country) or contacts.phone(subject.phone, region)
        if phone is None:
            left_out["phone"] = subject.phone.strip()
    ids = {"anonymous_id": usable_id(subject.anonymous_id), "external_id": usable_id(subject.external_id)}
    return {"email": email, "phone": phone} | ids, left_out


def _attributes(given: Attributes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Known attributes made uniform, and what goes beside them."""
    known: dict[str, Any] = {name: tidy(text) for name, text in _texts(given)}
    spare: dict[str, Any] = {}
    country = known.get("country")
    if country is not None:
        known["country"] = companies.country_code(country)
        if known["country"] is None:
            spare["country_as_given"] = country
    return known, spare


def _names(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """First, last and full name from each other, where that is plain."""
    first, last, full = (attributes.get(name) for name in ("first_name", "last_name", "full_name"))
    if full is None:
        whole = " ".join(part for part in (first, last) if part)
        return {"full_name": whole[:1_000]} if whole else {}
    if first is None and last is None:
        family, comma, given = full.partition(", ")
        if not comma:
            given, _, family = full.partition(" ")
        return {name: part for name, part in (("first_name", given), ("last_name", family)) if part}
    return {}


def _domain(attributes: Mapping[str, str | None], email: str | None) -> dict[str, str | None]:
    given = attributes.get("company_domain")
    if given is not None:
        return {"company_domain": companies.registered_domain(given) or given.lower()}
    website = attributes.get("website")
    found = companies.domain_of_website(website) if website else None
    if found is None and email is not None:
        found = companies.company_domain_of(contacts.domain_of(email))
    return {"company_domain": found} if found else {}


def _campaign(event: MarketingEvent) -> dict[str, str | None]:
    """As given; where nothing is, as the address of the page says."""
    given = {name: tidy(text) for name, text in _texts(event.campaign)}
    url = event.properties.get("url")
    if any(given.values()) or not isinstance(url, str):
        return given
    return {**given, **campaign_of_url(url)}


def _properties(given: dict[str, Any]) -> dict[str, Any]:
    """With the `path` that the `url` has, where only that is given."""
    url = given.get("url")
    if "path" in given or not isinstance(url, str):
        return given
    path = path_of_url(url)
    return given | {"path": path} if path else given


def _texts(part: Attributes | Campaign) -> list[tuple[str, str]]:
    return [(name, value) for name, value in part if isinstance(value, str)]


def _with(part: Subject | Attributes | Campaign, update: Mapping[str, Any]) -> Subject | Attributes | Campaign:
    changes = {name: value for name, value in update.items() if getattr(part, name, None) != value}
    return part.model_copy(update=changes) if changes else part
