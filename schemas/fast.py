"""Fast reading of what the stages write to each other: msgspec's types, derived from the pydantic models.

The models stay the one definition. The derived types take less than the models do (no `"12"` for 12, times in UTC as
this code writes them), and whatever they do not take is read by the model itself, which then has the last word and
finds the words for what is wrong. So both take and refuse the same, and only what is unusual pays for pydantic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.lead import LeadEvent
from schemas.record import EARLIEST, SCHEMA_VERSION
from schemas.structs import instants, struct_of

M = TypeVar("M", bound=BaseModel)

MAX_DEPTH: Final = 64
"""Objects and arrays within each other; deeper ones are refused, so that nobody further on trips over them."""

_UTC_LENGTH: Final = len("2026-09-24T08:42:10.123456Z")
_WORDS: Final = 5


class Unreadable(ValueError):
    """A record's value that cannot be read. `reason` is a typed code, `detail` names field, fault and mend."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Read(NamedTuple):
    """A record, read. `record` has the model's attributes; `tree` is the JSON with the unknown fields in it too."""

    record: Any
    tree: dict[str, Any]


class Reader(Generic[M]):
    """Reads JSON of one model. Call it with a record's value; it raises `Unreadable` and nothing else."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.type = struct_of(model)
        beside: dict[tuple[str, ...], list[str]] = {}
        for path in instants(model):
            beside.setdefault(path[:-1], []).append(path[-1])
        self._instants = tuple((parents, tuple(names)) for parents, names in beside.items())

    def __call__(self, raw: bytes) -> Read:
        """Read `raw`, fast where it is as our stages write it."""
        tree = _tree(raw)
        if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH and b"\\u0000" not in raw:
            try:
                record = msgspec.convert(tree, self.type)
            except (msgspec.ValidationError, OverflowError):
                pass  # the model decides
            else:
                for parents, names in self._instants:
                    if not _in_utc(tree, parents, names):
                        break
                else:
                    return Read(record, tree)
        return self.slowly(raw, tree)

    def slowly(self, raw: bytes, tree: Any) -> Read:
        """Read `raw` by the model; `tree` is its JSON. Raises `Unreadable`."""
        _check_tree(tree)
        try:
            tree = msgspec.json.decode(_written(self.model.model_validate_json(raw)))
        except ValidationError as error:
            raise Unreadable("schema_violation", _told(error)) from None
        _check_versions(tree)  # again, for the model takes 2.0 and "2" for 2
        return Read(msgspec.convert(tree, self.type), tree)


def _in_utc(tree: Any, parents: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether the times (valid ones) below `parents` are absent or written in UTC, to the microsecond, not too old.

    Of finer fractions msgspec rounds what pydantic cuts off; so the model reads them.
    """
    for depth, parent in enumerate(parents):
        if parent == "*":
            return all(_in_utc(member, parents[depth + 1 :], names) for member in tree)
        tree = tree.get(parent)
        if not tree:
            return True
    for name in names:
        text = tree.get(name)
        if text and not (len(text) <= _UTC_LENGTH and text[-1] == "Z" and text >= _EARLIEST):
            return False
    return True


_EARLIEST: Final = EARLIEST.strftime("%Y-%m-%d")
"""In the same form, older times are smaller as text too. What is older goes to the model, wherever it stands."""


def _tree(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise Unreadable("invalid_json", f"nested deeper than {MAX_DEPTH} levels; send a flatter object") from None
    except UnicodeDecodeError:
        raise Unreadable("invalid_json", "not UTF-8; send JSON in UTF-8") from None
    except msgspec.DecodeError as error:
        raise Unreadable("invalid_json", f"{error}; send valid JSON (RFC 8259) in UTF-8") from None


def _check_tree(tree: Any) -> None:
    if not isinstance(tree, dict):
        raise Unreadable("schema_violation", "the value is not an object; send one record as a JSON object")
    _check_versions(tree)
    level: list[Any] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise Unreadable("invalid_json", f"nested deeper than {MAX_DEPTH} levels; send a flatter object")
        if any("\0" in text for part in level for text in _texts(part)):
            raise Unreadable("schema_violation", "a text holds the character U+0000; remove it")
        level = [child for part in level for child in _children(part) if isinstance(child, (dict, list))]


def _check_versions(tree: dict[str, Any]) -> None:
    for name, part in (("schema_version", tree), ("event.schema_version", tree.get("event"))):
        version = part.get("schema_version") if isinstance(part, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            what = f"{name}: {version} is not known here; this code reads up to {SCHEMA_VERSION}: upgrade it first"
            raise Unreadable("unsupported_version", what)


def _children(part: Any) -> list[Any]:
    return list(part.values()) if isinstance(part, dict) else part


def _texts(part: Any) -> list[str]:
    names = list(part) if isinstance(part, dict) else []
    return names + [child for child in _children(part) if isinstance(child, str)]


def _written(model: BaseModel) -> bytes:
    return model.__pydantic_serializer__.to_json(model, exclude_none=True, by_alias=True)


def _told(error: ValidationError) -> str:
    """What is wrong, field by field; never what was sent: it may be a person's data."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, one['loc'])) or 'the record'}: {one['msg']}" for one in errors[:_WORDS]]
    more = f"; and {len(errors) - _WORDS} more" if len(errors) > _WORDS else ""
    return "; ".join(told) + more


lead_event: Callable[[bytes], Read] = Reader(LeadEvent)
"""Read a value of `leads.events`. Raises `Unreadable`."""
