"""The part of the page that is about routing: where the lead is, who might have got it, who got it and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from baton.explain.layout import heading, indented, moment, table

_METHODS = {
    "weighted_round_robin": "in turn, by weight",
    "least_loaded": "to whoever holds least for their weight",
    "best_fit": "to whoever fits best",
    "direct": "to the first who is there",
}


def standing(ledger: Mapping[str, Any]) -> str:
    """Where the lead is now, in a line."""
    now = ledger.get("assignment")
    if now is None:
        suppressed = ledger.get("suppression")
        if suppressed:
            return f"Nobody gets it: {suppressed['reason']}."
        score = ledger.get("score")
        if not score:
            return "On its way: routing has not seen it yet."
        return f"With marketing: its stage is {score['stage']}, and sales gets leads from `mql` on."
    whose = f"with {now['rep']}, in the queue {now['queue']}" if now.get("rep") else f"in the queue {now['queue']}"
    until = f", to be answered by {moment(now['respond_by'])}" if now.get("respond_by") else ""
    words = {
        "waiting": f"Waiting {whose}: {now['reason']}.",
        "offered": f"Offered: {whose}{until}.",
        "accepted": f"Accepted: {whose}.",
        "closed": f"Closed: {whose} ({now.get('outcome') or now['reason']}).",
    }
    return words.get(now["status"], f"{str(now['status']).capitalize()}: {whose} ({now['reason']}).")


def assignment(one: Mapping[str, Any]) -> Iterator[RenderableType]:
    """An assignment: the first decision with every candidate, and what happened since."""
    history = one.get("history", [])
    made = [step["decision"] for step in history if step.get("decision")] or [one["decision"]]
    for number, decision in enumerate(made):
        title = "Who gets it" if number == 0 else "Who gets it next"
        yield heading(title)
        yield from _decision(decision)
    yield heading("What became of it")
    rows = table("when", "status", "queue", "rep", "because")
    for step in history:
        because = Text(step["reason"])
        rows.add_row(moment(step["occurred_at"]), step["status"], step["queue"], step["rep"] or "", because)
    yield indented(rows)


def _decision(decision: Mapping[str, Any]) -> Iterator[RenderableType]:
    method = _METHODS.get(decision["method"], decision["method"])
    queue, turn = decision["queue"], decision["turn"]
    yield Text(f"  The rule `{decision['rule']}` sends it to the queue {queue}, lead number {turn} there, {method}.")
    rows = table("rep", "could get it", "because")
    for candidate in decision.get("candidates", []):
        eligible = Text("yes", style="green") if candidate["eligible"] else Text("no", style="yellow")
        rows.add_row(candidate["rep"], eligible, Text(candidate["reason"]))
    yield indented(rows)
    hashes = f"  rules {decision['rules_hash'][:12]}, roster {decision['roster_hash'][:12]}"
    yield Text(hashes, style="dim")
