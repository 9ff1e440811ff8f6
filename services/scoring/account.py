"""The account of a scored lead in plain words: what `baton explain` shows."""

from __future__ import annotations

from typing import NamedTuple

from schemas.scored import Explanation, ScoredLead
from services.scoring.rulebook import Ruleset


class Told(NamedTuple):
    """One line: the rule, what it adds now of what it was worth, and why, in words."""

    rule: str
    kind: str
    points: str
    why: str


def told(lead: ScoredLead, ruleset: Ruleset | None = None) -> list[Told]:
    """The lines of `lead` in words, those that add most first, caps last; `ruleset` None where it is not at hand."""
    lines = sorted(lead.explanation, key=lambda line: (line.kind != "fit", _is_cap(line), -abs(line.points)))
    return [Told(line.rule, line.kind, _points(line), _why(line, lead, ruleset)) for line in lines]


def summary(lead: ScoredLead, ruleset: Ruleset | None = None) -> list[str]:
    """The lead's standing in sentences: grade, scores, stage, and whether the rules have changed since."""
    fit = f"fit {lead.fit:g}{_of(ruleset.fit_max if ruleset else None)}"
    engagement = f"engagement {lead.engagement:g}{_of(ruleset.engagement_max if ruleset else None)}"
    said = [f"Grade {lead.grade}: {fit}, {engagement}, as of {lead.as_of:%Y-%m-%d %H:%M} UTC."]
    said.append(f"Stage {lead.stage}." if not lead.segments else f"Stage {lead.stage}; {', '.join(lead.segments)}.")
    if lead.transition:
        move = lead.transition
        said.append(f"Moved from {move.from_} to {move.to}: {move.reason}.")
    if ruleset is not None and ruleset.rules_hash != lead.rules_hash:
        said.append("The rules have changed since; the next event of the lead is scored with the new ones.")
    return said


def _is_cap(line: Explanation) -> bool:
    return ":" in line.rule


def _points(line: Explanation) -> str:
    now = f"{line.points:+g}"
    return now if line.points == line.from_points else f"{now} of {line.from_points:g}"


def _why(line: Explanation, lead: ScoredLead, ruleset: Ruleset | None) -> str:
    if _is_cap(line) or ruleset is None or ruleset.rules_hash != lead.rules_hash:
        return line.detail
    rule = ruleset.engagement.get(line.rule)
    if line.kind == "engagement" and rule is not None and rule.decay is not None and line.points != line.from_points:
        return f"{line.detail} (faded to {line.points / line.from_points:.0%})"
    return line.detail


def _of(most: float | None) -> str:
    return f" of {most:g}" if most is not None else ""
