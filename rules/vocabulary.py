"""What conditions may speak of: paths, the kind of value behind each, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Kind = Literal["text", "number", "boolean", "list", "time", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """What stands at a path. `get` takes the subject and gives the value, None where it is missing.

    A `time` is in seconds since the epoch. `any` is for open paths, whose values may be of every kind.
    `words` is how a person would call it; where it is empty, the path speaks for itself.
    """

    kind: Kind
    get: Callable[[Any], Any]
    words: str = ""


class Vocabulary(Protocol):
    """All paths that a file's conditions may name."""

    def find(self, path: str) -> Field | None:
        """The field at `path`, or None where there is no such path."""

    def paths(self) -> Iterable[str]:
        """The known paths, for "did you mean …"; open ones end in `.*`."""


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary made of known paths and open prefixes.

    `open_paths` maps a prefix with its dot (`person.extra.`) to what makes a field of the rest of the path.
    """

    known: Mapping[str, Field]
    open_paths: Mapping[str, Callable[[str], Field]] = field(default_factory=dict)

    def find(self, path: str) -> Field | None:
        """The field at `path`: a known one, else one behind an open prefix."""
        hit = self.known.get(path)
        if hit is not None:
            return hit
        for prefix, make in self.open_paths.items():
            if path.startswith(prefix) and len(path) > len(prefix):
                return make(path[len(prefix) :])
        return None

    def paths(self) -> Iterable[str]:
        """The known paths, and the open ones with a star."""
        yield from self.known
        for prefix in self.open_paths:
            yield f"{prefix}*"
