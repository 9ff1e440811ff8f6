"""Conditions as data: `{field: person.job_title, contains: director}`, joined by `all`, `any` and `not`.

`parse` checks what a file says and gives a `Condition`, which compiles to a plain function, reads as words, and says
what it found. What each operator means stands in docs/reference/conditions.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.document import Document
from rules.faults import Fault, FaultyConfiguration
from rules.operands import WrongOperand, operand
from rules.operators import JOINTS, MEANT, OPERATORS
from rules.spelling import mend_for, nearest_path
from rules.tree import All, AnyOf, Condition, Finding, Leaf, Not
from rules.vocabulary import Field, Vocabulary

__all__ = ["MAX_DEPTH", "All", "AnyOf", "Condition", "Finding", "Leaf", "Not", "parse"]

MAX_DEPTH = 20
Loc = tuple[str | int, ...]


def parse(data: Any, vocabulary: Vocabulary, document: Document, loc: Sequence[str | int]) -> Condition:
    """The condition `data` that stands at `loc` of `document`.

    Raises `FaultyConfiguration` with every fault at and below `loc`.
    """
    parser = _Parser(vocabulary, document)
    condition = parser.condition(data, tuple(loc), 1)
    if parser.faults or condition is None:
        raise FaultyConfiguration(parser.faults)
    return condition


@dataclass(slots=True)
class _Parser:
    """Gathers faults; what it gives is None where there was one."""

    vocabulary: Vocabulary
    document: Document
    faults: list[Fault] = field(default_factory=list)

    def fault(self, loc: Loc, message: str, mend: str) -> None:
        self.faults.append(self.document.fault(loc, message, mend))

    def condition(self, data: Any, loc: Loc, depth: int) -> Condition | None:
        if depth > MAX_DEPTH:
            self.fault(loc, f"conditions are nested deeper than {MAX_DEPTH} levels", "Flatten them.")
            return None
        if isinstance(data, list):
            self.fault(loc, "a list is not a condition", "Put it under `all:` or `any:`.")
            return None
        if not isinstance(data, dict) or not data:
            self.fault(loc, "a condition is missing here", "Write one: `{field: person.country, equals: DE}`.")
            return None
        joints = [key for key in data if key in JOINTS]
        if not joints:
            return self._leaf(data, loc)
        if len(data) > 1:
            others = ", ".join(f"`{key}`" for key in data if key != joints[0])
            mend = "Put both under one `all: [...]`, each in a mapping of its own."
            self.fault(loc, f"`{joints[0]}` stands beside {others} in one mapping", mend)
            return None
        joint = joints[0]
        inside, below = data[joint], (*loc, joint)
        if joint == "not":
            part = self.condition(inside, below, depth + 1)
            return None if part is None else Not(part)
        if not isinstance(inside, list):
            self.fault(below, f"`{joint}` needs a list of conditions", f"Write `{joint}: [{{…}}, {{…}}]`.")
            return None
        if not inside:
            self.fault(below, f"`{joint}` is empty", "Write its conditions, or take it out.")
            return None
        parts = [self.condition(item, (*below, index), depth + 1) for index, item in enumerate(inside)]
        sound = tuple(part for part in parts if part is not None)
        return All(sound) if joint == "all" else AnyOf(sound)

    def _leaf(self, data: dict[Any, Any], loc: Loc) -> Leaf | None:
        found = self._field(data, loc)
        operators = [key for key in data if key in OPERATORS]
        unknown = [key for key in data if key not in OPERATORS and key != "field"]
        for key in unknown:
            self._unknown(str(key), (*loc, key))
        if not operators and not unknown:
            self.fault(loc, "the condition has no operator", f"Add one of: {', '.join(OPERATORS)}.")
            return None
        if len(operators) > 1:
            both = " and ".join(f"`{name}`" for name in operators)
            mend = "Write each as a condition of its own under `all: [...]`."
            self.fault((*loc, operators[1]), f"{both} stand in one condition", mend)
            return None
        if found is None or unknown or not operators:
            return None
        path, known = found
        name = operators[0]
        below = (*loc, name)
        if known.kind not in OPERATORS[name].kinds:
            suited = [each for each, operator in OPERATORS.items() if known.kind in operator.kinds]
            self.fault(
                below,
                f"`{name}` does not suit `{path}`, which is {_A[known.kind]}",
                f"Use one of: {', '.join(suited)}.",
            )
            return None
        try:
            return Leaf(path, name, operand(name, known.kind, data[name]), known, self.document.line(loc))
        except WrongOperand as error:
            self.fault(below, error.message, error.mend)
            return None

    def _field(self, data: dict[Any, Any], loc: Loc) -> tuple[str, Field] | None:
        path = data.get("field")
        if "field" not in data:
            if not any(MEANT.get(str(key)) == "field" for key in data):
                self.fault(loc, "the condition names no field", "Add `field: …`, or join with `all`, `any` or `not`.")
            return None
        if not isinstance(path, str):
            self.fault((*loc, "field"), "`field` must be a path such as person.country", "Write the path.")
            return None
        known = self.vocabulary.find(path)
        if known is None:
            self.fault((*loc, "field"), f"unknown field `{path}`", self._field_mend(path))
            return None
        return path, known

    def _field_mend(self, path: str) -> str:
        paths = list(self.vocabulary.paths())
        hit = nearest_path(path, [known for known in paths if not known.endswith(".*")])
        start, _, rest = path.partition(".")
        own = [known for known in paths if known.endswith(".*") and rest and known.partition(".")[0] == start]
        mends = [f"Did you mean `{hit}`?"] if hit else []
        if own:
            mends.append(f"For one of your own write `{own[0][:-1]}{rest.rpartition('.')[2]}`.")
        return " ".join(mends) or mend_for(path, paths)

    def _unknown(self, key: str, loc: Loc) -> None:
        meant = MEANT.get(key.casefold())
        mend = f"Did you mean `{meant}`?" if meant else mend_for(key, [*OPERATORS, "field", *JOINTS])
        self.fault(loc, f"unknown operator `{key}`", mend)


_A = {
    "text": "text", "number": "a number", "boolean": "true or false", "list": "a list", "time": "a time", "any": "open",
}  # fmt: skip
