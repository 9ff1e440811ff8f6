"""Changes the value of a failed record by a JSON patch before it is replayed. Source: RFC 6902."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from jsonpatch import (
    JsonPatch,
    JsonPatchException,
    JsonPatchPathNotFound,
    JsonPatchTestFailed,
    JsonPointer,
    JsonPointerException,
)

from baton.refusal import Refusal

_MEND = 'Write a list of operations, such as [{"op": "replace", "path": "/source", "value": "website"}]; see RFC 6902'
_NEEDS = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from"}
_MEMBERS = ("op", "path", "value", "from")


class DoesNotApply(Exception):
    """A record that a patch cannot change; the text says why, and quotes nothing of the record."""


class Patch:
    """A JSON patch: operations in order, all of which must apply; `test` is one of them."""

    def __init__(self, operations: list[dict[str, Any]]) -> None:
        """Raise `Refusal` where they are none."""
        self._operations: list[tuple[str, JsonPatch]] = []
        for number, operation in enumerate(operations, 1):
            try:
                patch = JsonPatch([operation])
                if fault := _fault(operation):
                    raise Refusal(f"operation {number} of the patch {fault}", _MEND)
            except (JsonPatchException, JsonPointerException, TypeError) as error:
                raise Refusal(f"operation {number} of the patch is none: {_line(error)}", _MEND) from error
            self._operations.append((_words(operation), patch))

    def apply(self, value: bytes | None) -> bytes:
        """The changed value, as compact JSON. Raises `DoesNotApply`; `value` may be anything."""
        document = _document(value)
        for number, (words, operation) in enumerate(self._operations, 1):
            try:
                document = operation.apply(document, in_place=True)
            except (JsonPatchException, JsonPointerException, TypeError, LookupError, RecursionError) as error:
                raise DoesNotApply(
                    f"operation {number} of the patch, {words}, does not apply: {_why(error)}"
                ) from error
        try:
            return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except UnicodeEncodeError:
            raise DoesNotApply("the value holds half of a character, which cannot be written") from None
        except (ValueError, RecursionError):
            raise DoesNotApply("the value holds a number too large for JSON, or is nested too deep") from None


def load(path: Path) -> Patch:
    """The patch of a file. Raises `Refusal`."""
    try:
        operations = json.loads(path.read_bytes(), object_pairs_hook=_once_each)
    except OSError as error:
        raise Refusal(f"cannot read {path}: {error.strerror}", "Give a file with a JSON patch") from error
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{path} is no JSON patch: {_line(error)}", _MEND) from error
    if not isinstance(operations, list) or not operations or not all(isinstance(one, dict) for one in operations):
        raise Refusal(f"{path} is no JSON patch", _MEND)
    return Patch(operations)


def _fault(operation: dict[str, Any]) -> str:
    """What is wrong with an operation, whatever the record; empty where nothing is. Raises `JsonPointerException`."""
    op, path = operation["op"], operation["path"]
    odd = next(
        (name for name in operation if name not in _MEMBERS and get_close_matches(name, _MEMBERS, 1, 0.75)), None
    )
    if odd is not None:  # others have no meaning, and may be comments
        return f"has `{odd}`; is `{get_close_matches(odd, _MEMBERS, 1, 0.75)[0]}` meant?"
    if (needed := _NEEDS.get(op)) is not None and needed not in operation:
        return f"has no `{needed}`"
    if op == "remove" and not path:
        return "removes the whole value"
    if needed == "from":
        origin = operation["from"]
        if not isinstance(origin, str):
            return "has a `from` that is no path"
        JsonPointer(origin)
        if op == "move" and path.startswith(f"{origin}/"):
            return "moves something into itself"
    return ""


def _words(operation: dict[str, Any]) -> str:
    place = operation["path"] or "the whole value"
    return f"{operation['op']} {operation['from']} to {place}" if "from" in operation else f"{operation['op']} {place}"


def _why(error: Exception) -> str:
    """Why an operation does not apply, without a word of the record."""
    missing = (JsonPointerException, JsonPatchPathNotFound, LookupError)
    if isinstance(error, missing) or isinstance(error.__context__, missing):
        return "the record has no such path"
    if isinstance(error, JsonPatchTestFailed):
        return "the record has another value there"
    return "nothing can be put there"


def _document(value: bytes | None) -> Any:
    if value is None:
        raise DoesNotApply("the record has no value")
    try:
        return json.loads(value.decode(), parse_constant=_no_json)
    except UnicodeDecodeError:
        raise DoesNotApply("the value is no UTF-8, so it is no JSON") from None
    except RecursionError:
        raise DoesNotApply("the value is nested too deep") from None
    except ValueError as error:
        raise DoesNotApply(f"the value is no JSON ({_line(error)})") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two members of one name the last would win without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has `{next(name for name in names if names.count(name) > 1)}` twice")
    return found


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is none")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
