"""pydantic's errors as faults: with the line, in words of the file, and with a mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from rules.faults import Fault
from rules.spelling import mend_for

Loc = tuple[str | int, ...]
MEND = "Mend the value."
_MENDS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "Write a whole number."),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "Write a number."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "Write `true` or `false`."),
    "string_type": "Write text; put it in quotes where it looks like a number or is `true` or `false`.",
    "list_type": "Write a list: `[…]`, or one `- …` a line.",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "Write a mapping of keys to values."),
}
"""What to do about pydantic's types of error, where its message does not say it already."""

_SHAPES = {
    "list_type": "a list",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping"),
}
_QUOTED = re.compile(r"'([^']*)'")

MakeFault = Callable[[Sequence[str | int], str, str], Fault]


def faults_of(error: ValidationError, model: type[BaseModel], fault: MakeFault, known: Collection[Loc]) -> list[Fault]:
    """One fault for each error. `known` holds the document's paths: other segments of a location are pydantic's."""
    found: dict[Fault, None] = {}
    for detail in error.errors(include_url=False):
        loc = _in_document(detail["loc"], known)
        found[fault(loc, *_told(detail, loc, model))] = None
    return list(found)


def _in_document(loc: Loc, known: Collection[Loc]) -> Loc:
    """`loc` without the names of union members that pydantic puts in; the last segment may be missing from the file."""
    path: Loc = ()
    for segment in loc:
        if (*path, segment) in known:
            path = (*path, segment)
    last = loc[-1:]
    return path if path[-1:] == last else path + last


def _told(detail: ErrorDetails, loc: Loc, model: type[BaseModel]) -> tuple[str, str]:
    name = _name(loc)
    kind = detail["type"]
    if kind == "extra_forbidden":
        siblings = {key for owner in _models_at(model, loc[:-1]) for key in _keys(owner)}
        return f"unknown key `{loc[-1]}`", mend_for(str(loc[-1]), siblings)
    if kind == "missing":
        field = next((f for o in _models_at(model, loc[:-1]) for k, f in o.model_fields.items() if k == loc[-1]), None)
        meaning = f" ({field.description.rstrip('.')})" if field is not None and field.description else ""
        return f"`{name}` is missing", f"Add `{loc[-1]}: …`{meaning}."
    return _told_of_value(detail, name)


def _told_of_value(detail: ErrorDetails, name: str) -> tuple[str, str]:
    kind, written = detail["type"], detail["input"]
    context: dict[str, Any] = detail.get("ctx") or {}
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if "mend" in context:
        return f"`{name}`: {message}", str(context["mend"])
    if kind in ("literal_error", "enum"):
        choices = _QUOTED.findall(str(context.get("expected", "")))
        return f"`{name}` cannot be `{_as_written(written)[:60]}`", mend_for(str(written), choices)
    if kind == "union_tag_invalid":
        key = str(context["discriminator"]).strip("'")
        choices = _QUOTED.findall(str(context["expected_tags"]))
        return f"`{name}.{key}` cannot be `{context['tag']}`", mend_for(str(context["tag"]), choices)
    if kind == "union_tag_not_found":
        key = str(context["discriminator"]).strip("'")
        return f"`{name}.{key}` is missing", f"Add `{key}: …`."
    if kind in ("value_error", "assertion_error"):
        return f"`{name}`: {message}" if name else message, MEND
    if kind in _SHAPES:
        return f"`{name}` must be {_SHAPES[kind]}", _MENDS.get(kind, MEND)
    shown = isinstance(written, str | int | float | bool) and len(str(written)) <= 60
    but = f", not `{_as_written(written)}`" if shown else ""
    return f"`{name}`: {message[:1].lower()}{message[1:]}{but}", _MENDS.get(kind, MEND)


def _as_written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(loc: Loc) -> str:
    text = ""
    for segment in loc:
        text += f"[{segment}]" if isinstance(segment, int) else f".{segment}" if text else str(segment)
    return text


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models_at(model: type[BaseModel], loc: Loc) -> list[type[BaseModel]]:
    """The models that may stand at `loc` below `model`, found by their annotations."""
    here: list[Any] = [model]
    for segment in loc:
        here = [part for item in here for part in _inner(item, segment)]
    return [found for item in here for found in _models_in(item)]


def _inner(annotation: Any, segment: str | int) -> Iterator[Any]:
    for model in _models_in(annotation):
        field: FieldInfo | None = model.model_fields.get(str(segment))
        if field is None:
            field = next((f for f in model.model_fields.values() if f.alias == segment), None)
        if field is not None:
            yield field.annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        yield from get_args(annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not get_args(annotation):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models_in(part)
