"""The records that routing publishes: a lead on its queue, and every change of its assignment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas import Assignment, Candidate, Clocks, Decision, RoutedLead, ScoredLead
from schemas.headers import INGESTED_AT, RECEIVED_AT, SCORED_AT, Headers, carried, cloudevent
from schemas.ids import derived_id
from schemas.record import Record
from schemas.topics import SALES_ASSIGNMENTS, queue
from services.routing.calendars import instant
from services.routing.decision import Placement
from services.routing.offers import Held, Step
from services.routing.plan import Plan, Rule
from services.routing.standing import Book
from streaming.stage import Output

SOURCE = "baton/routing"
CLOCK_BYTES = 64
"""RFC 3339 with all its parts is half as long."""
LINES = 5
"""Lines of the explanation that go along with a lead: those that weigh most."""


def decision(placement: Placement, rule: str, turn: int, plan: Plan) -> Decision:
    """The decision record: every candidate, and the hashes of the rules in force."""
    return Decision(
        rule=rule,
        queue=placement.queue,
        turn=turn,
        method=placement.method,
        candidates=[
            Candidate(rep=one.rep, eligible=one.eligible, reason=one.reason, standing=one.standing)
            for one in placement.candidates
        ],
        rules_hash=plan.rules_hash,
        roster_hash=plan.roster_hash,
    )


def routed_lead(
    lead: ScoredLead, held: Held, rule: Rule, made: Decision, headers: Mapping[str, str], book: Book
) -> RoutedLead:
    """The lead as its queue gets it. `headers` are those of its record: the clocks of the stages before."""
    now = instant(book.now)
    return RoutedLead(
        assignment_id=held.assignment_id,
        lead_id=held.lead_id,
        queue=held.queue,
        rep=held.rep,
        priority=rule.priority,
        rule=rule.id,
        respond_by=None if held.respond_by is None else instant(held.respond_by),
        decision=made,
        person=lead.person,
        scores=scores(lead),
        summary=summary(lead),
        clocks=Clocks(
            captured_at=lead.as_of,
            received_at=_clock(headers, RECEIVED_AT),
            ingested_at=_clock(headers, INGESTED_AT),
            scored_at=_clock(headers, SCORED_AT),
            qualified_at=lead.as_of,
            assigned_at=now if held.rep is not None else None,
        ),
    )


def scores(lead: ScoredLead) -> dict[str, Any]:
    """The scored lead in short."""
    lines = sorted(lead.explanation, key=lambda line: (-abs(line.points), line.rule))[:LINES]
    return {
        "fit": lead.fit,
        "engagement": lead.engagement,
        "grade": lead.grade,
        "segments": lead.segments,
        "conversion_probability": lead.conversion_probability,
        "explanation": [line.model_dump(exclude_none=True) for line in lines],
        "rules_hash": lead.rules_hash,
    }


def summary(lead: ScoredLead) -> str:
    """Who it is and why now, in a line."""
    person = lead.person
    name = person.get("full_name") or " ".join(
        str(person[part]) for part in ("first_name", "last_name") if person.get(part)
    )
    who = ", ".join(str(part) for part in (name, person.get("job_title"), person.get("company")) if part)
    why = lead.transition.reason if lead.transition is not None else f"grade {lead.grade}"
    return f"{who or 'A lead without a name'}: {why}"


def queue_output(routed: RoutedLead, prefix: str, clocks: Headers, now: datetime, lane: int) -> Output:
    """The record for `sales.queue.<queue>`: one for each queue that an assignment comes to."""
    id_ = derived_id("routed_lead", routed.assignment_id, routed.queue, str(routed.decision.turn))
    return _output(prefix + queue(routed.queue), routed, routed.lead_id, id_, now, clocks, lane)


def change_output(held: Held, step: Step, prefix: str, now: datetime, lane: int) -> Output:
    """The record for `sales.assignments`."""
    record = Assignment(
        assignment_id=held.assignment_id,
        lead_id=held.lead_id,
        sequence=step.sequence,
        queue=step.queue,
        rep=step.rep,
        status=step.status,
        reason=step.reason,
        occurred_at=now,
    )
    id_ = derived_id("assignment_change", held.assignment_id, str(step.sequence))
    return _output(prefix + SALES_ASSIGNMENTS, record, held.lead_id, id_, now, [], lane)


def _output(topic: str, record: Record, lead_id: str, id_: str, now: datetime, clocks: Headers, lane: int) -> Output:
    headers = [*cloudevent(id=id_, source=SOURCE, type=record.ce_type, time=now), *clocks]
    return Output(topic, lead_id.encode(), record.to_json(), headers, lane=lane)


def clock_headers(headers: Mapping[str, str]) -> Headers:
    """The clocks that travel on. What by its length is no clock stays behind: it could make a record too large."""
    return [(name, value) for name, value in carried(headers) if len(value or b"") <= CLOCK_BYTES]


def _clock(headers: Mapping[str, str], name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(headers[name]) if name in headers else None
    except ValueError:
        return None  # a foreign producer's header; the lead is worth more than its clock
