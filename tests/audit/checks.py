"""What must hold of a path that has come to rest: pure, from what was read of topics and ledger to violations.

Nothing here is shared with the pipeline: the auditor would repeat the pipeline's mistakes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from tests.audit.findings import Finding, Stage, doubled, lost, published_twice, wrong
from tests.audit.ledger import Ledger
from tests.audit.records import Seen


def failed_places(failed: Iterable[Seen]) -> Counter[tuple[str, int, int]]:
    """How often each source record stands in a failed topic."""
    return Counter(
        (seen.headers["baton_topic"], int(seen.headers["baton_partition"]), int(seen.headers["baton_offset"]))
        for seen in failed
    )


def every_event_is_ingested(events: Sequence[Seen], leads: Sequence[Seen], failed: Sequence[Seen]) -> Iterator[Finding]:
    """Each record of `marketing.events` is in `leads.events` or in `ingest.failed`: in one of them, and once."""
    refused = failed_places(failed)
    came = Counter(_text(seen.value, "event_id") for seen in events if not refused[seen.place])
    went = Counter(_text(seen.value, "event", "event_id") for seen in leads if not _is_link(seen))
    for name in sorted(came.keys() | went.keys()):
        if came[name] != went[name]:
            kind = lost if went[name] < came[name] else published_twice if came[name] else wrong
            sentence = f"event {name} is {came[name]} times in marketing.events and {went[name]} times in leads.events"
            yield kind("ingest", sentence)
    yield from _places_once(refused, events, "ingest")


def every_lead_event_is_scored_once(
    leads: Sequence[Seen], scored: Sequence[Seen], failed: Sequence[Seen]
) -> Iterator[Finding]:
    """Each event of a lead has one score, however often it came, or stands in `scoring.failed`."""
    refused = failed_places(failed)
    due = {(_text(s.value, "lead_id"), _text(s.value, "event", "event_id")) for s in leads if not refused[s.place]}
    done = Counter((_text(s.value, "lead_id"), _text(s.value, "event_id")) for s in scored)
    for lead, event in sorted(due - done.keys()):
        yield lost("scoring", f"lead {lead}: event {event} was never scored")
    for (lead, event), times in sorted(done.items()):
        if times > 1:
            yield published_twice("scoring", f"lead {lead}: event {event} was scored {times} times")
    for lead, event in sorted(done.keys() - due):
        yield wrong("scoring", f"lead {lead}: event {event} was scored, but is not in leads.events")
    yield from _places_once(refused, leads, "scoring")


def every_qualified_lead_is_assigned_once(
    scored: Sequence[Seen], failed: Sequence[Seen], ledger: Ledger, outcomes: Sequence[Seen]
) -> Iterator[Finding]:
    """Each transition to MQL has one assignment, or the lead is kept from sales with a reason; nobody else has one.

    `outcomes`: `sales.outcomes`, whose failed records are among those of routing.
    """
    refused = failed_places(failed)
    due = Counter(_text(s.value, "lead_id") for s in scored if is_mql(s) and not refused[s.place])
    done = Counter(assigned.lead_id for assigned in ledger.assignments)
    for lead, times in sorted(due.items()):
        if not done[lead] and lead not in ledger.suppressed:
            yield lost("routing", f"lead {lead} qualified and is neither assigned nor suppressed")
        if done[lead] > times:
            yield doubled("routing", f"lead {lead} qualified {times} times and is assigned {done[lead]} times")
    for lead in sorted(done.keys() - due.keys()):
        yield wrong("routing", f"lead {lead} is assigned and never qualified")
    yield from _places_once(refused, [*scored, *outcomes], "routing")


def every_assignment_is_on_its_queue_once(queues: Mapping[str, Sequence[Seen]], ledger: Ledger) -> Iterator[Finding]:
    """Each time an assignment came to a queue, one routed lead stands on that queue's topic, and no other.

    An offer to the next rep of the same queue is told in `sales.assignments` alone.
    """
    due = Counter(
        (assigned.assignment_id, queue)
        for assigned in ledger.assignments
        for queue, _ in groupby(queue for _, _, queue, _ in assigned.changes)
    )
    done = Counter((_text(seen.value, "assignment_id"), queue) for queue, records in queues.items() for seen in records)
    for (assignment, queue), times in sorted(due.items()):
        found = done[assignment, queue]
        if found != times:
            sentence = f"assignment {assignment} is {found} times on queue {queue}, not {times} times"
            yield (lost if found < times else published_twice)("routing", sentence)
    for assignment, queue in sorted(done.keys() - due.keys()):
        yield wrong("routing", f"assignment {assignment} is on queue {queue}, and the ledger knows nothing of it")
    if ledger.unpublished:
        yield lost("routing", f"{ledger.unpublished} records of the outbox are not published")


def every_change_is_published_in_order(changes: Sequence[Seen], ledger: Ledger) -> Iterator[Finding]:
    """`sales.assignments` has each change of the ledger once, those of an assignment in the order of their numbers."""
    told: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for seen in sorted(changes, key=lambda seen: seen.place):
        value = seen.value or {}
        told[_text(value, "assignment_id")].append(tuple(value.get(f) for f in ("sequence", "status", "queue", "rep")))
    for assigned in ledger.assignments:
        changed, tells = list(assigned.changes), told[assigned.assignment_id]
        if changed != tells:
            missing = any(change not in tells for change in changed)
            kind = lost if missing else published_twice if len(tells) > len(changed) else wrong
            sentence = f"assignment {assigned.assignment_id} changed as {changed}, and sales.assignments tells {tells}"
            yield kind("routing", sentence)
        if [number for number, *_ in changed] != list(range(1, len(changed) + 1)):
            yield wrong("routing", f"assignment {assigned.assignment_id} has a gap in its numbers")
    for name in sorted(told.keys() - {assigned.assignment_id for assigned in ledger.assignments}):
        yield wrong("routing", f"sales.assignments tells of assignment {name}, and the ledger knows nothing of it")


def nothing_is_doubled(stage: Stage, name: str, records: Sequence[Seen]) -> Iterator[Finding]:
    """Each record of a topic that `stage` writes has a `ce_id`, and no two have the same."""
    ids = Counter(seen.ce_id for seen in records)
    nameless = ids.pop(None, 0)
    if nameless:
        yield wrong(stage, f"{name}: {nameless} records without a ce_id")
    for ce_id, times in sorted(ids.items(), key=str):
        if times > 1:
            yield published_twice(stage, f"{name}: ce_id {ce_id} stands there {times} times")


def is_mql(seen: Seen) -> bool:
    """Whether the lead became an MQL with this score."""
    transition = (seen.value or {}).get("transition")
    return isinstance(transition, dict) and transition.get("to") == "mql"


def _is_link(seen: Seen) -> bool:
    """A record that only tells a weaker lead of a stronger one has no event of its own."""
    return not isinstance((seen.value or {}).get("event"), dict)


def _places_once(refused: Counter[tuple[str, int, int]], source: Sequence[Seen], stage: Stage) -> Iterator[Finding]:
    known = {seen.place for seen in source}
    for place, times in sorted(refused.items()):
        if times > 1:
            yield published_twice(stage, f"{stage}.failed has {place} {times} times")
        if place not in known:
            yield wrong(stage, f"{stage}.failed has {place}, which is not in its source")


def _text(value: Mapping[str, Any] | None, *path: str) -> str:
    found: Any = value
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return str(found)
