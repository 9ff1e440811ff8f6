"""A condition, parsed: leaves that look at one field each, joined by `all`, `any` and `not`."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rules.matching import Test, test_of
from rules.operands import Operand
from rules.operators import OPERATORS
from rules.vocabulary import Field


@dataclass(frozen=True, slots=True)
class Finding:
    """What one leaf found. `wanted` is False below a `not`: there the condition wants the leaf not to hold."""

    field: str
    words: str
    value: Any
    held: bool
    wanted: bool = True


class Condition(ABC):
    """Something that holds of a subject at a time, or does not."""

    __slots__ = ()

    @abstractmethod
    def compile(self) -> Test:
        """A plain function of the subject and of now (seconds since the epoch): compile once, call often."""

    @abstractmethod
    def words(self) -> str:
        """The condition as part of an English sentence."""

    @abstractmethod
    def leaves(self) -> Iterator[tuple[Leaf, bool]]:
        """Each leaf in the order of the file, and whether it is wanted to hold (not so below a `not`)."""

    def findings(self, subject: Any, now: float) -> list[Finding]:
        """What each leaf found, every one of them, also where the first already decided."""
        return [
            Finding(leaf.path, leaf.words(), leaf.field.get(subject), leaf.compile()(subject, now), wanted)
            for leaf, wanted in self.leaves()
        ]

    def fields(self) -> set[str]:
        """The paths that the condition looks at."""
        return {leaf.path for leaf, _ in self.leaves()}


@dataclass(frozen=True, slots=True)
class Leaf(Condition):
    """One field, compared. Leaves are equal where they say the same; `line` is where it stands."""

    path: str
    operator: str
    operand: Operand
    field: Field = dataclasses.field(compare=False, repr=False)
    line: int = dataclasses.field(default=0, compare=False)

    def compile(self) -> Test:  # noqa: D102 as the base class says
        return test_of(self.operator, self.field.kind, self.operand, self.field.get)

    def words(self) -> str:  # noqa: D102
        name = self.field.words or self.path.partition(".")[2].replace(".", " ").replace("_", " ") or self.path
        operator = OPERATORS[self.operator]
        if self.operator == "exists":
            return f"{name} {'is known' if self.operand.value is True else 'is not known'}"
        of_times = self.operand.sort in ("instant", "instants")
        verb = operator.time_words if of_times else operator.words
        if self.field.kind == "list":
            verb = {"contains": "includes", "in": "includes one of", "not_in": "includes none of"}[self.operator]
        return f"{name} {verb} {self.operand.words}"

    def leaves(self) -> Iterator[tuple[Leaf, bool]]:  # noqa: D102
        yield self, True


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Holds where every part does. There is at least one."""

    parts: tuple[Condition, ...]

    def compile(self) -> Test:  # noqa: D102
        tests = tuple(part.compile() for part in self.parts)
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            return lambda subject, now: first(subject, now) and second(subject, now)

        def test(subject: Any, now: float) -> bool:
            for part in tests:  # noqa: SIM110 a generator would cost more than the tests
                if not part(subject, now):
                    return False
            return True

        return test

    def words(self) -> str:  # noqa: D102
        return _joined(self.parts, " and ")

    def leaves(self) -> Iterator[tuple[Leaf, bool]]:  # noqa: D102
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """Holds where one part does. There is at least one."""

    parts: tuple[Condition, ...]

    def compile(self) -> Test:  # noqa: D102
        tests = tuple(part.compile() for part in self.parts)
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            return lambda subject, now: first(subject, now) or second(subject, now)

        def test(subject: Any, now: float) -> bool:
            for part in tests:  # noqa: SIM110 a generator would cost more than the tests
                if part(subject, now):
                    return True
            return False

        return test

    def words(self) -> str:  # noqa: D102
        return _joined(self.parts, " or ")

    def leaves(self) -> Iterator[tuple[Leaf, bool]]:  # noqa: D102
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """Holds exactly where its part does not, whatever the reason."""

    part: Condition

    def compile(self) -> Test:  # noqa: D102
        test = self.part.compile()
        return lambda subject, now: not test(subject, now)

    def words(self) -> str:  # noqa: D102
        return f"not ({self.part.words()})"

    def leaves(self) -> Iterator[tuple[Leaf, bool]]:  # noqa: D102
        for leaf, wanted in self.part.leaves():
            yield leaf, not wanted


def _joined(parts: tuple[Condition, ...], joint: str) -> str:
    if len(parts) == 1:
        return parts[0].words()
    return joint.join(_bracketed(part) for part in parts)


def _bracketed(part: Condition) -> str:
    return f"({part.words()})" if _is_joined(part) else part.words()


def _is_joined(part: Condition) -> bool:
    return isinstance(part, All | AnyOf) and (len(part.parts) > 1 or _is_joined(part.parts[0]))
