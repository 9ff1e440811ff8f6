"""msgspec's types, derived from the pydantic models: the same fields, the same limits.

Whatever has no equal here is refused by name when the types are made, so that no check of a model is lost on the way.
"""

from __future__ import annotations

from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from schemas.record import SCHEMA_VERSION, to_utc

CHECKED_ELSEWHERE: Final = {("MarketingEvent", "_not_before_2000")}
"""Validators that the reader sees to: see `schemas.fast`."""


def struct_of(model: type[BaseModel]) -> type[msgspec.Struct]:
    """The struct with the fields and limits of `model`. Raises `TypeError` for what has no equal in msgspec."""
    for name in model.__pydantic_decorators__.field_validators:
        if (model.__name__, name) not in CHECKED_ELSEWHERE:
            raise TypeError(f"{model.__name__}.{name}: teach schemas.fast this check")
    fields: list[Any] = []
    for name, info in model.model_fields.items():
        if info.alias is not None:
            raise TypeError(f"{model.__name__}.{name}: teach schemas.fast this alias")
        kind = _type_of(info.annotation, info.metadata)
        if name == "schema_version":
            kind = Annotated[int, msgspec.Meta(ge=1, le=SCHEMA_VERSION)]
        fields.append((name, kind) if info.is_required() else (name, kind, _default(info)))
    return msgspec.defstruct(model.__name__, fields, kw_only=True, gc=False)


def _default(info: FieldInfo) -> Any:
    factory = info.default_factory
    if factory is None:
        return info.default
    if isinstance(factory, type) and issubclass(factory, BaseModel):
        return msgspec.field(default_factory=struct_of(factory))
    return msgspec.field(default_factory=factory)  # type: ignore[arg-type]  # ours take no argument


def _type_of(annotation: Any, metadata: list[Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner: list[Any] = []
        for extra in arguments[1:]:
            inner.extend(extra.metadata if isinstance(extra, FieldInfo) else [extra])
        return _type_of(arguments[0], [*inner, *metadata])
    if origin in (Union, UnionType):
        return Union[tuple(_type_of(part, metadata if part is not NoneType else []) for part in arguments)]  # noqa: UP007 made at run time
    if annotation is AwareDatetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    base: Any = annotation
    if origin is list:
        base = list[_type_of(arguments[0], [])]  # type: ignore[misc]  # made at run time
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        base = struct_of(annotation)
    elif annotation not in (str, int, float, bool, Any, NoneType) and origin not in (dict, Literal):
        raise TypeError(f"{annotation}: teach schemas.fast this type")
    limits = _limits(metadata)
    return Annotated[base, msgspec.Meta(**limits)] if limits else base


def _limits(metadata: list[Any]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for limit in metadata:
        match limit:
            case MaxLen(max_length=value):
                limits["max_length"] = value
            case MinLen(min_length=value):
                limits["min_length"] = value
            case Ge(ge=value):
                limits["ge"] = value
            case Le(le=value):
                limits["le"] = value
            case AfterValidator(func=func) if func is to_utc:
                pass  # a struct keeps the zone that was written: the same point in time
            case _:
                raise TypeError(f"{limit}: teach schemas.fast this limit")
    return limits


def instants(model: type[BaseModel], path: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """Where the points in time stand; `*` for each member of a list."""
    found: list[tuple[str, ...]] = []

    def walk(annotation: Any, at: tuple[str, ...]) -> None:
        if annotation is AwareDatetime:
            found.append(at)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.extend(instants(annotation, at))
        else:
            below = (*at, "*") if get_origin(annotation) is list else at
            for part in get_args(annotation):
                walk(part, below)

    for name, info in model.model_fields.items():
        walk(info.annotation, (*path, name))
    return tuple(found)
