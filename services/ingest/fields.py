"""A person's answers, field by field, as the parts of a marketing event. Pure.

Fields are taken by the names of attributes, `email`, `phone` and `utm_*`, in their usual spellings; others are kept in
`properties` under their own names. Of two fields with one meaning the first that is filled counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.ingest import spellings
from services.ingest.companies import employees_of

Pairs = Iterable[tuple[str, Any]]

_LONGEST = {"email": 320, "phone": 64, "anonymous_id": 512, "external_id": 512}


def event_data(
    given: Mapping[str, Any] | Pairs,
    *,
    event_id: str,
    type: str,  # noqa: A002 the record's name for it
    occurred_at: Any,
    source: str,
    properties: Mapping[str, Any] | None = None,
    campaign: Mapping[str, Any] | None = None,
    is_test: bool = False,
) -> dict[str, Any]:
    """A `MarketingEvent` as plain data, still to be validated, with `given` spread over its parts.

    `properties` are what the platform says of the event; what the person filled in never replaces them. `campaign` is
    what it says of the campaign, for what no `utm_*` says.
    """
    parts = spread(given.items() if isinstance(given, Mapping) else given)
    parts["properties"] |= {name: value for name, value in (properties or {}).items() if value is not None}
    known = campaign_of_url(_page(parts["properties"])) | parts["campaign"]
    parts["campaign"] = {name: str(value) for name, value in (campaign or {}).items() if value} | known
    return {
        "event_id": event_id,
        "type": type,
        "occurred_at": occurred_at,
        "source": source,
        "is_test": is_test,
        **parts,
    }


def spread(pairs: Pairs) -> dict[str, Any]:
    """`subject`, `attributes`, `campaign`, `consent` and `properties` of a person's answers."""
    subject: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    campaign: dict[str, str] = {}
    consent: dict[str, bool] = {}
    properties: dict[str, Any] = {}
    for name, value in pairs:
        text = _text(value)
        if text == "":
            continue
        spelled = spellings.plain(name)
        if text is None or not (
            _short(subject, spellings.SUBJECT.get(spelled), text)
            or _short(campaign, spellings.CAMPAIGN.get(spelled), text)
            or _attribute(attributes, spellings.ATTRIBUTES.get(spelled), text)
            or _consent(consent, _purpose(name, spelled), text)
        ):
            _keep(properties, name, value)
    return {
        "subject": subject,
        "attributes": attributes,
        "campaign": campaign,
        "consent": [{"purpose": purpose, "granted": word, "basis": "consent"} for purpose, word in consent.items()],
        "properties": properties,
    }


def campaign_of_url(url: str) -> dict[str, str]:
    """The campaign in the `utm_*` parameters and click ids of a page's address."""
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=100)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for name, value in pairs:
        part = spellings.CAMPAIGN.get(spellings.plain(name))
        if part is not None and value.strip():
            found.setdefault(part, value.strip()[:1_000])
    return found


def path_of_url(url: str) -> str:
    """The path in a page's address; empty where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.path or ("/" if parts.netloc else "")


def _short(part: dict[str, str], name: str | None, text: str) -> bool:
    """Whether `text` was taken for `name`: not a second time, and not beyond what the schema allows."""
    if name is None or name in part or len(text) > _LONGEST.get(name, 1_000):
        return False
    part[name] = text
    return True


def _attribute(attributes: dict[str, Any], name: str | None, text: str) -> bool:
    if name != "employees":
        return _short(attributes, name, text)
    count = employees_of(text)
    if count is None or "employees" in attributes:
        return False
    attributes["employees"] = count
    if text != str(count):
        attributes["employees_as_given"] = text[:1_000]
    return True


def _consent(consent: dict[str, bool], purpose: str | None, text: str) -> bool:
    word = text.lower()
    if purpose is None or word not in spellings.TRUE | spellings.FALSE:
        return False
    consent.setdefault(purpose, word in spellings.TRUE)
    return True


def _purpose(name: str, spelled: str) -> str | None:
    known = spellings.CONSENT.get(spelled)
    if known is not None:
        return known
    for prefix in ("consent_", "consent.", "consent-"):
        if name.lower().startswith(prefix):
            return name.lower()[len(prefix) :][:100] or None
    return None


def _text(value: Any) -> str | None:
    """A single value as text, without space around it; None for what is no single value."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, (str, int, float)) else None


def _keep(properties: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under its own name; of several with one name all are kept, as a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if name not in properties:
        properties[name] = value
    elif isinstance(properties[name], list):
        properties[name] = [*properties[name], value]
    else:
        properties[name] = [properties[name], value]


def _page(properties: Mapping[str, Any]) -> str:
    for name, value in properties.items():
        if spellings.plain(name) in spellings.PAGE and isinstance(value, str) and "?" in value:
            return value
    return ""
