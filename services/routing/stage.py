"""Routing, as a stage: scored leads in, leads on sales queues out.

In: `leads.scored`. State: the ledger in PostgreSQL. Out, through the ledger's outbox: `sales.queue.<queue>` (once for
each queue that a lead comes to) and `sales.assignments` (every change). A lead is routed when its stage is `mql` and
it has no assignment yet; again only when sales recycled it and a newer record says that it qualified anew.

A batch takes about ten statements, whatever its size: leads in, assignments looked up, standings locked, all written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import ScoredLead
from schemas.headers import header_map
from schemas.ids import derived_id
from schemas.topics import LEADS_SCORED, SALES_ASSIGNMENTS, failed, queue
from services.routing import offers, records
from services.routing.calendars import instant
from services.routing.decision import Suppressed, place, triage
from services.routing.ledger import book, entries
from services.routing.ledger.changes import first_row
from services.routing.ledger.entries import Assigned, Lead
from services.routing.plan import Plan, Rule
from services.routing.reading import scored_lead
from services.routing.standing import Book
from streaming.stage import Batch, Message, RecordError, Stage, Store

NAME = "routing"
MOST_BYTES = 900_000
"""Brokers take a million by default; the rest is for headers."""


def make_stage(plan: Plan, ledger: Store, prefix: str = "") -> Stage:
    """The stage; `prefix` is put before every topic. `ledger`: the ledger itself, or with a bound for its outbox."""
    return Stage(
        name=NAME,
        source=prefix + LEADS_SCORED,
        failed=prefix + failed(NAME),
        handler=lambda batch: handle(batch, plan, prefix),
        store=ledger,
        outputs=(prefix + SALES_ASSIGNMENTS, *(prefix + queue(name) for name in plan.queues)),
    )


@dataclass(slots=True)
class _Wanted:
    """A lead that may be routed, and the rule that matched it."""

    lead: ScoredLead
    lane: int
    headers: Mapping[str, str]
    qualification: int
    rule: Rule


@dataclass(slots=True)
class _Rows:
    """What a batch writes."""

    assignments: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)


def handle(batch: Batch[Any], plan: Plan, prefix: str) -> None:
    """Route the leads of a batch. `batch.unit` is the open transaction of the ledger."""
    leads = _read(batch)
    connection = batch.unit.connection
    last: dict[str, Lead] = {}
    for message, lead in leads:
        if lead.lead_id not in last or last[lead.lead_id].as_of <= lead.as_of:
            last[lead.lead_id] = Lead(lead.lead_id, _email(lead), message.value() or b"", lead.as_of)
    entries.keep_leads(connection, last.values())
    qualified = [(message, lead) for message, lead in leads if lead.stage == "mql"]
    if len(qualified) < len(leads):
        batch.count("not_qualified", len(leads) - len(qualified))
    if qualified:
        wanted = _triage(batch, qualified, plan)
        if wanted:
            _assign(batch, wanted, plan, prefix)


def _read(batch: Batch[Any]) -> list[tuple[Message, ScoredLead]]:
    found = []
    for message in batch.records:
        try:
            found.append((message, scored_lead(message)))
        except RecordError as exc:
            batch.fail(message, exc.reason, exc.detail)
    return found


def _triage(batch: Batch[Any], qualified: list[tuple[Message, ScoredLead]], plan: Plan) -> list[_Wanted]:
    """Those of the leads that are assigned now; the others are counted, and suppressed ones noted."""
    connection = batch.unit.connection
    before = entries.latest_assignments(connection, {lead.lead_id for _, lead in qualified})
    wanted: list[_Wanted] = []
    suppressed: dict[str, dict[str, Any]] = {}
    for message, lead in qualified:
        number = next_qualification(lead, before.get(lead.lead_id))
        if number is None:
            batch.count("assigned_before")
            continue
        found = triage(lead, plan, batch.now)
        if isinstance(found, Suppressed):
            batch.count("suppressed")
            suppressed[lead.lead_id] = {
                "lead_id": lead.lead_id,
                "rule": found.rule,
                "reason": found.reason,
                "event_id": lead.event_id.replace("\x00", ""),
                "rules_hash": plan.rules_hash,
                "occurred_at": lead.as_of,
            }
            continue
        before[lead.lead_id] = Assigned(number, "offered")
        suppressed.pop(lead.lead_id, None)
        wanted.append(_Wanted(lead, message.partition(), header_map(message.headers()), number, found))
    entries.keep_suppressions(connection, list(suppressed.values()))
    return wanted


def next_qualification(lead: ScoredLead, last: Assigned | None) -> int | None:
    """Number of the assignment that `lead` is due, None where it has had it.

    The first comes with the stage, not with the record of the transition: that one may have been compacted away.
    Another one is due to what sales could not know when it recycled the lead: to a record of something that happened
    after it said so, and that is newer than all that routing had seen of the lead by then. Sales' own time is not
    enough: it may be that of a day, or of a clock that is behind, and the records of before may be replayed.
    """
    if last is None:
        return 1
    anew = lead.transition is not None and lead.transition.to == "mql"
    if not anew or last.status != "closed" or last.outcome != "recycled":
        return None
    newer = all(at is not None and lead.as_of > at for at in (last.outcome_at, last.known_as_of))
    return last.qualification + 1 if newer else None


def _assign(batch: Batch[Any], wanted: list[_Wanted], plan: Plan, prefix: str) -> None:
    connection = batch.unit.connection
    standings = book.lock(connection, plan, {one.rule.queue for one in wanted}, batch.now)
    rows = _Rows()
    for one in wanted:
        _assign_one(batch, one, standings, rows, plan, prefix)
    entries.add_assignments(connection, rows.assignments)
    entries.add_events(connection, rows.events)
    entries.add_decisions(connection, rows.decisions)
    entries.lift_suppressions(connection, [one.lead.lead_id for one in wanted])
    book.save(connection, standings)


def _assign_one(batch: Batch[Any], one: _Wanted, standings: Book, rows: _Rows, plan: Plan, prefix: str) -> None:
    lead, now = one.lead, instant(standings.now)
    assignment_id = derived_id("assignment", lead.lead_id, str(one.qualification))
    placement = place(plan.queues[one.rule.queue], standings)
    held, steps = offers.begin(assignment_id, lead.lead_id, placement, standings)
    made = records.decision(placement, one.rule.id, held.turn, plan)
    routed = records.routed_lead(lead, held, one.rule, made, one.headers, standings)
    value = routed.to_json()
    if len(value) > MOST_BYTES:
        raise RecordError("too_large", f"the routed lead would have {len(value)} bytes, {MOST_BYTES} are the most")
    outputs = [
        records.queue_output(routed, prefix, records.clock_headers(one.headers), now, one.lane),
        *(records.change_output(held, step, prefix, now, one.lane) for step in steps),
    ]
    batch.outputs += outputs
    rows.assignments.append(first_row(held, value, one.qualification, one.lane, steps[-1].reason, now))
    rows.events += [entries.event_row(held, step, now) for step in steps]
    rows.decisions.append(
        {"assignment_id": assignment_id, "sequence": held.sequence, "decision": made.model_dump(mode="json")}
    )


def _email(lead: ScoredLead) -> str | None:
    email = lead.person.get("email")
    return email.lower().replace("\x00", "") if isinstance(email, str) else None
