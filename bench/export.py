"""The ruleset, the lists and the words that scoring goes by, as JSON: for peers that are not Python.

Conditions come as the tree that was parsed: a leaf has `path`, `kind`, `operator`, `sort`, `value`, `words`.
"""

from __future__ import annotations

from typing import Any

from bench.peers.work import RULES
from rules.condition import Condition
from rules.expressions import Expression
from rules.operands import Members
from rules.tree import All, AnyOf, Leaf, Not
from services.scoring import derive, titles
from services.scoring.event import ATTRIBUTES, SUBJECT
from services.scoring.rulebook import Ruleset
from services.scoring.ruleset import load


def export() -> dict[str, Any]:
    """Everything, of the bench's ruleset."""
    rules = load(RULES)
    return {
        "rules_hash": rules.rules_hash,
        "fit": _fit(rules),
        "engagement": _engagement(rules),
        "fit_max": rules.fit_max,
        "engagement_max": rules.engagement_max,
        "fit_groups": dict(rules.fit_groups),
        "engagement_groups": dict(rules.engagement_groups),
        "grade_fit": list(rules.grade_fit),
        "grade_engagement": list(rules.grade_engagement),
        "segments": [{"id": one.id, "when": tree(one_when)} for one, one_when in _segments(rules)],
        "mql": tree(rules.mql) if rules.mql else None,
        "hand_raise": sorted(rules.hand_raise),
        "person": [*SUBJECT, *ATTRIBUTES],
        "subject": list(SUBJECT),
        "free": sorted(derive._FREE),  # noqa: SLF001 the lists are not public; the peer must have the same
        "disposable": sorted(derive._DISPOSABLE),  # noqa: SLF001
        "roles": sorted(derive.ROLES),
        "ranks": [[name, pattern.pattern] for name, pattern in titles._RANKS],  # noqa: SLF001
        "fields": [[name, pattern.pattern] for name, pattern in titles._FIELDS],  # noqa: SLF001
    }


def tree(condition: Condition) -> dict[str, Any]:
    """A condition as plain data."""
    match condition:
        case All(parts=parts):
            return {"all": [tree(part) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [tree(part) for part in parts]}
        case Not(part=part):
            return {"not": tree(part)}
        case Leaf():
            return {
                "path": condition.path,
                "kind": condition.field.kind,
                "operator": condition.operator,
                "sort": condition.operand.sort,
                "value": _plain(condition.operand.value),
                "words": condition.words(),
            }
    raise TypeError(f"{condition}: teach the export this form")


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return value.pattern
    if isinstance(value, Members):
        if value.numbers or value.booleans:
            raise TypeError("members other than texts: teach the peers these first")
        return sorted(value.texts)
    return list(value) if isinstance(value, tuple) else value


def _fit(rules: Ruleset) -> list[dict[str, Any]]:
    return [
        {"id": r.id, "points": r.points, "words": r.words, "group": r.group, "when": tree(r.when)} for r in rules.fit
    ]


def _engagement(rules: Ruleset) -> list[dict[str, Any]]:
    return [
        {
            "id": r.id,
            "on": r.on,
            "points": r.points,
            "words": r.words,
            "group": r.group,
            "when": tree(r.when) if r.when else None,
            "decay": {"kind": r.decay.kind, "span": r.decay.span} if r.decay else None,
            "limit": {"times": r.limit.times, "per": r.limit.per} if r.limit else None,
        }
        for r in rules.engagement.values()
    ]


def _segments(rules: Ruleset) -> list[tuple[Any, Condition]]:
    """Segments keep no tree: it is read from the file again."""
    from rules import condition
    from rules.document import load as load_document
    from services.scoring import vocabulary

    document = load_document(RULES)
    return [
        (one, condition.parse(data["when"], vocabulary.SEGMENTS, document, ("segments", index, "when")))
        for index, (one, data) in enumerate(zip(rules.segments, document.data["segments"], strict=True))
    ]
