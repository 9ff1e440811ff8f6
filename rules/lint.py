"""Conditions that cannot do what somebody wrote them for: that never match, always match, or come too late.

All three are one question: can these conditions hold together? It is answered by unfolding `any` into cases until each
excludes itself. The answer "no" is certain; where it cannot be shown within a bound, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rules.exclusion import exclude_each_other
from rules.faults import Fault
from rules.literals import Literal, literal
from rules.tree import All, AnyOf, Condition, Leaf, Not

MAX_CASES = 2_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule's condition, and where it stands. `condition` None: the rule has none and always holds."""

    name: str
    condition: Condition | None
    file: str
    line: int


def never_true(placed: Iterable[Placed]) -> list[Fault]:
    """A fault for each condition that nothing can meet, and for each dead part of an `any`."""
    return list(_never_true(placed))


def _never_true(placed: Iterable[Placed]) -> Iterator[Fault]:
    for each in placed:
        if each.condition is None:
            continue
        if cannot_hold([each.condition]):
            yield Fault(
                each.file,
                each.line,
                f"`{each.name}` can never match: {each.condition.words()}",
                "Its parts exclude each other: widen one of them, or join them with `any`.",
            )
            continue
        for part in _parts_of_any(each.condition):
            if cannot_hold([part]):
                line = next((leaf.line for leaf, _ in part.leaves() if leaf.line), each.line)
                message = f"a part of an `any` in `{each.name}` can never hold: {part.words()}"
                yield Fault(each.file, line, message, "Mend it, or take it out.")


def always_true(placed: Iterable[Placed]) -> list[Fault]:
    """A fault for each condition that everything meets, also what lacks the fields."""
    return [
        Fault(each.file, each.line, f"`{each.name}` always matches: {each.condition.words()}", "Narrow or remove it.")
        for each in placed
        if each.condition is not None and cannot_hold([Not(each.condition)])
    ]


def shadowed(ordered: Sequence[Placed]) -> list[Fault]:
    """A fault for each rule that never gets its turn, in a list where the first match wins.

    What can never match at all is `never_true`'s to tell.
    """
    return list(_shadowed(ordered))


def _shadowed(ordered: Sequence[Placed]) -> Iterator[Fault]:
    for index, late in enumerate(ordered):
        own = [] if late.condition is None else [late.condition]
        if own and cannot_hold(own):
            continue
        earlier = ordered[:index]
        by = next(
            (each for each in earlier if each.condition is None or cannot_hold([*own, Not(each.condition)])), None
        )
        if by is not None:
            message = f"`{late.name}` never gets its turn: `{by.name}` (line {by.line}) takes all that it would match"
            yield Fault(late.file, late.line, message, f"Put it above `{by.name}`, or take it out.")
            continue
        if len(earlier) > 1 and cannot_hold([*own, *(Not(e.condition) for e in earlier if e.condition is not None)]):
            message = f"`{late.name}` never gets its turn: the rules above it together take all that it would match"
            yield Fault(late.file, late.line, message, "Put it further up, or take it out.")


def cannot_hold(together: Sequence[Condition]) -> bool:
    """Whether it is certain that no subject, at no time, meets all of `together`."""
    cases = _Cases()
    return cases.all_excluded([(condition, True) for condition in together], [], [])


Pending = list[tuple[Condition, bool]]


class _Cases:
    """Unfolds conditions into cases, at most so many; beyond that nothing is certain."""

    def __init__(self) -> None:
        self.left = MAX_CASES

    def all_excluded(self, pending: Pending, choices: list[Pending], literals: list[Literal]) -> bool:
        self.left -= 1
        if self.left < 0:
            return False
        pending, choices, literals = list(pending), list(choices), list(literals)
        touched: set[str] = set()
        while pending:
            condition, holds = pending.pop()
            match condition:
                case Leaf():
                    new = literal(condition, holds=holds)
                    if new not in literals:
                        literals.append(new)
                        touched.add(new.path)
                case Not():
                    pending.append((condition.part, not holds))
                case All() | AnyOf():
                    parts = [(part, holds) for part in condition.parts]
                    if isinstance(condition, All) is holds:
                        pending.extend(parts)
                    else:
                        choices.append(parts)
        if any(exclude_each_other([each for each in literals if each.path == path]) for path in touched):
            return True
        if not choices:
            return False
        choices.sort(key=len, reverse=True)
        choice = choices.pop()
        return all(self.all_excluded([part], choices, literals) for part in choice)


def _parts_of_any(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Not():
            yield from _parts_of_any(condition.part)
        case All() | AnyOf():
            if isinstance(condition, AnyOf) and len(condition.parts) > 1:
                yield from condition.parts
            for part in condition.parts:
                yield from _parts_of_any(part)
