"""Why something was not taken: a typed reason, and for each fault the field, the problem and the mend.

Neither a problem nor a mend ever repeats what the person wrote: they end in logs, headers and answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

MOST_VIOLATIONS = 20
"""More than so many are not told at once."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

_MENDS = {
    "missing": "Add it",
    "string_type": "Send text, in quotes",
    "string_too_long": "Send a shorter text",
    "string_too_short": "Leave it out or fill it",
    "int_type": "Send a whole number",
    "int_parsing": "Send a whole number",
    "bool_type": "Send true or false",
    "bool_parsing": "Send true or false",
    "dict_type": "Send an object, in braces",
    "model_type": "Send an object, in braces",
    "list_type": "Send an array, in brackets",
    "datetime_type": "Send RFC 3339 with a zone, such as 2026-09-24T08:42:10Z",
    "datetime_parsing": "Send RFC 3339 with a zone, such as 2026-09-24T08:42:10Z",
    "datetime_from_date_parsing": "Send RFC 3339 with a zone, such as 2026-09-24T08:42:10Z",
    "timezone_aware": "Add the zone to the time: Z for UTC, or an offset such as +02:00",
    "finite_number": "Send a finite number",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of what was sent. `field` is a path such as `subject.email`; empty for the whole."""

    field: str
    problem: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.problem}. {self.mend}."


class Refused(Exception):
    """Raised where an event, or the request that brings it, cannot be taken as it is.

    `reason` is a typed code: `invalid_json`, `schema_violation`, `unsupported_version`, `no_identifier`, `too_large`,
    `tombstone`, `unknown_source`, and at the door also those of `services.ingest.collector.problems`.
    """

    def __init__(self, reason: str, *violations: Violation) -> None:
        self.reason = reason
        self.violations = violations
        super().__init__(f"{reason}: {self.detail}")

    @property
    def detail(self) -> str:
        """All faults in one line."""
        return " ".join(map(str, self.violations))


def refused(reason: str, field: str, problem: str, mend: str) -> Refused:
    """A refusal for one fault."""
    return Refused(reason, Violation(field, problem, mend))


def speakable(name: object) -> str:
    """`name` where it is a plain name of a field; a stranger's key may be anything, a person's address included."""
    return name if isinstance(name, str) and _PLAIN_NAME.fullmatch(name) else "(a name that is not a plain word)"


def violations(error: ValidationError) -> tuple[Violation, ...]:
    """The faults that pydantic found, without the values that were sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(_violation(one["loc"], one["type"], one["msg"]) for one in found[:MOST_VIOLATIONS])


def _violation(loc: Iterable[int | str], kind: str, message: str) -> Violation:
    field = ".".join(str(part) if isinstance(part, int) else speakable(part) for part in loc)
    problem = message.removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    if kind == "missing":
        problem = "is missing"
    # Our own validators say the mend themselves, behind a semicolon.
    problem, _, own = problem.partition("; ") if kind == "value_error" else (problem, "", "")
    mend = own[:1].upper() + own[1:] or _MENDS.get(kind, "Send what the field's schema asks for")
    return Violation(field, problem[:1].lower() + problem[1:], mend)
