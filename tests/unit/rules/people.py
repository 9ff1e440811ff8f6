"""A vocabulary with a field of every kind, and short ways to conditions on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.condition import Condition, parse
from rules.document import parse as parse_document
from rules.faults import FaultyConfiguration
from rules.vocabulary import Field, Kind, Words

KINDS: dict[str, Kind] = {
    "person.job_title": "text",
    "person.country": "text",
    "person.postcode": "text",
    "person.employees": "number",
    "consent.phone": "boolean",
    "quality": "list",
    "segments": "list",
    "person.seen_at": "time",
}
NOW = 1_800_000_000.0
DAY = 86_400.0


def _at(path: str) -> Callable[[Any], Any]:
    return lambda subject: subject.get(path)


PEOPLE = Words(
    {path: Field(kind, _at(path)) for path, kind in KINDS.items()},
    {"person.extra.": lambda rest: Field("any", _at(f"person.extra.{rest}"))},
)


def condition(text: str) -> Condition:
    document = parse_document(text, "rules.yaml")
    return parse(document.data, PEOPLE, document, ())


def holds(text: str, now: float = NOW, **subject: Any) -> bool:
    """Whether the condition holds of a subject whose fields are given by the last part of their path."""
    paths = {path.rpartition(".")[2]: path for path in KINDS}
    known = {paths.get(name, f"person.extra.{name}"): value for name, value in subject.items()}
    return condition(text).compile()(known, now)


def faults(text: str) -> list[str]:
    """The faults as `line: message | mend`."""
    try:
        condition(text)
    except FaultyConfiguration as error:
        return [f"{fault.line}: {fault.message} | {fault.mend}" for fault in error.faults]
    return []
