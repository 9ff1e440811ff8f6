"""Changes the value of a failed record by a JSON patch before it is replayed. Source: RFC 6902."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from jsonpatch import JsonPatch, JsonPatchException, JsonPointerException

from baton.refusal import Refusal

_MEND = 'Write a list of operations, such as [{"op": "replace", "path": "/source", "value": "website"}]; see RFC 6902'
_NEEDS = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from"}


class DoesNotApply(Exception):
    """A record that a patch cannot change; the text says why, and quotes nothing of the record."""


class Patch:
    """A JSON patch: operations in order, all of which must apply; `test` is one of them."""

    def __init__(self, operations: list[dict[str, Any]]) -> None:
        """Raise `Refusal` where they are none."""
        for number, operation in enumerate(operations, 1):
            try:
                JsonPatch([operation])
            except (JsonPatchException, JsonPointerException, TypeError) as error:
                raise Refusal(f"operation {number} of the patch is none: {_line(error)}", _MEND) from error
            member = _NEEDS.get(operation["op"])
            if member and member not in operation:
                raise Refusal(f"operation {number} of the patch has no `{member}`", _MEND)
        self._operations = [(f"{one['op']} {one['path']}", JsonPatch([one])) for one in operations]

    def apply(self, value: bytes | None) -> bytes:
        """The changed value, as compact JSON. Raises `DoesNotApply`; `value` may be anything."""
        document = _document(value)
        for number, (words, operation) in enumerate(self._operations, 1):
            try:
                document = operation.apply(document, in_place=True)
            except (JsonPatchException, JsonPointerException, TypeError, LookupError, RecursionError) as error:
                raise DoesNotApply(f"operation {number} of the patch, {words}, does not apply") from error
        try:
            return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except UnicodeEncodeError:
            raise DoesNotApply("the value holds half of a character, which cannot be written") from None
        except (ValueError, RecursionError):
            raise DoesNotApply("the value holds a number too large for JSON, or is nested too deep") from None


def load(path: Path) -> Patch:
    """The patch of a file. Raises `Refusal`."""
    try:
        operations = json.loads(path.read_bytes())
    except OSError as error:
        raise Refusal(f"cannot read {path}: {error.strerror}", "Give a file with a JSON patch") from error
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{path} is no JSON: {_line(error)}", _MEND) from error
    if not isinstance(operations, list) or not operations or not all(isinstance(one, dict) for one in operations):
        raise Refusal(f"{path} is no JSON patch", _MEND)
    return Patch(operations)


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


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is none")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
