"""A configuration file: its values, where each stands, and the hash of what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rules.faults import Fault, FaultyConfiguration
from rules.reading import read
from rules.validation import faults_of

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Document:
    """What a file says. `data` is plain Python: dict, list, str, int, float, bool, None; keys are text or integers."""

    file: str
    data: Any
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, repr=False, compare=False)

    def line(self, loc: Sequence[str | int] = ()) -> int:
        """Line of the value at `loc` (of a mapping's value, of its key), else of the nearest thing around it."""
        path = tuple(loc)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def fault(self, loc: Sequence[str | int], message: str, mend: str) -> Fault:
        """A fault at `loc`."""
        return Fault(self.file, self.line(loc), message, mend)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what the file says: comments, layout and the order of keys do not change it."""
        canonical = json.dumps(_keys_as_text(self.data), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def load(path: Path) -> Document:
    """Read the file at `path`. Raises `FaultyConfiguration` where it is missing, unreadable or not YAML."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FaultyConfiguration(
            [Fault(str(path), 0, "there is no such file", "Create it, or mend the path.")]
        ) from None
    except OSError as error:
        why = f"the file cannot be read: {error.strerror or error}"
        raise FaultyConfiguration([Fault(str(path), 0, why, "Mend its permissions, or the path.")]) from None
    return parse(content, str(path))


def parse(content: bytes | str, file: str) -> Document:
    """The document in `content`, named `file` in faults. Raises `FaultyConfiguration`."""
    data, lines = read(content.encode() if isinstance(content, str) else content, file)
    return Document(file, data, lines)


def validated(document: Document, model: type[M]) -> M:
    """`document` as a `model`. Raises `FaultyConfiguration` with every fault, each with its line and mend."""
    if not isinstance(document.data, dict):
        mend = f"Begin with `{next(iter(model.model_fields), 'key')}:`."
        raise FaultyConfiguration([document.fault((), "the file must be a mapping of keys to values", mend)])
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise FaultyConfiguration(faults_of(error, model, document.fault, document.lines)) from None


def _keys_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _keys_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_keys_as_text(item) for item in value]
    return value
