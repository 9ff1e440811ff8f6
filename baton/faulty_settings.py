"""Settings that cannot be used: what is wrong with each, and what may stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import annotated_types
from pydantic import BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from baton.settings import Settings, seconds, variable

_SECRET = frozenset({"kafka_options", "database_url"})
"""Settings whose values are not repeated where they are faulty: a password in them may stand anywhere."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A setting that cannot be used. `name` is the field's, `message` and `mend` hold no password."""

    name: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{variable(self.name)}: {self.message}. {self.mend}"


def unusable(error: ValidationError) -> list[Unusable]:
    """What is wrong with the settings, one a fault."""
    found = []
    for fault in error.errors():
        name = str(fault["loc"][0])
        if fault["type"] == "value_error":  # ours: a sentence of what is wrong, and the mend
            message, _, mend = str(fault["ctx"]["error"]).partition(". ")
        else:
            message, mend = _expected(Settings.model_fields[name])
            message = f"{'what stands there' if name in _SECRET else repr(fault['input'])} {message}"
        found.append(Unusable(name, message, mend))
    return found


def _expected(field: FieldInfo) -> tuple[str, str]:
    """What a value of this setting is not, and what to write."""
    kind = field.annotation
    if any(isinstance(one, BeforeValidator) and one.func is seconds for one in field.metadata):
        return "is no time", "Write seconds, or a duration such as 90s, 5m or 2h"
    if kind is bool:
        return "is neither true nor false", "Write true or false"
    if kinds := {int, float} & {kind, *get_args(kind)}:
        number = "whole number" if int in kinds else "number"
        such = f"such as {field.default}" if field.default is not None else "or leave it unset"
        return f"is no {number}{_bounds(field.metadata)}", f"Write one, {such}"
    if allowed := [str(one) for one in get_args(kind) if isinstance(one, str)]:
        return f"is none of {', '.join(allowed)}", "Write one of these"
    return (
        "has other characters than a name may have",
        "Write it with letters, digits, dots, hyphens and underscores alone",
    )


def _bounds(metadata: list[Any]) -> str:
    """` from 1 to 9`, ` above 0 and up to 1`, ` of at least 1`; nothing where there are none."""
    least = next((one.ge for one in metadata if isinstance(one, annotated_types.Ge)), None)
    above = next((one.gt for one in metadata if isinstance(one, annotated_types.Gt)), None)
    most = next((one.le for one in metadata if isinstance(one, annotated_types.Le)), None)
    if above is not None:
        return f" above {above}" + (f" and up to {most}" if most is not None else "")
    if least is None:
        return f" up to {most}" if most is not None else ""
    return f" from {least} to {most}" if most is not None else f" of at least {least}"
