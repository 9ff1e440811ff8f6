"""`baton route --dry-run`: the decisions that routing would take, without taking them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from baton import configuration
from baton.refusal import Refusal
from schemas import ScoredLead
from services.routing.decision import Suppressed, count, route
from services.routing.standing import Book


def decide(file: Path, directory: Path, now: float | None = None) -> list[dict[str, Any]]:
    """What would become of each `ScoredLead` of `file`. Raises `Refusal` with the line that cannot be read."""
    plan = configuration.plan(directory)
    book = Book(time.time() if now is None else now)
    found: list[dict[str, Any]] = []
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise Refusal(f"cannot read {file}: {error.strerror}", "Give a file of ScoredLeads, one a line") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            lead = ScoredLead.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "the line"
            raise Refusal(
                f"{file}:{number}: {where}: {fault['msg']}", "Write ScoredLeads, one JSON object a line"
            ) from error
        decision = route(lead, plan, book)
        if isinstance(decision, Suppressed):
            found.append(_row(lead, decision.rule, decision.reason))
            continue
        placement = decision.placement
        book.came(placement.queue)
        count(placement, book)
        rep = placement.rep.id if placement.rep else None
        found.append(_row(lead, decision.rule.id, placement.reason, placement.queue, rep))
    return found


def _row(lead: ScoredLead, rule: str, reason: str, queue: str | None = None, rep: str | None = None) -> dict[str, Any]:
    return {"lead_id": lead.lead_id, "rule": rule, "queue": queue, "rep": rep, "reason": reason}
