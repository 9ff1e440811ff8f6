"""The auditor's answer: counts, times, and every violation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.audit import checks
from tests.audit.findings import STAGES, Finding, Stage
from tests.audit.ledger import Ledger
from tests.audit.records import Seen

QUEUE = "sales.queue."
ONCE: dict[str, Stage] = {"leads.scored": "scoring", "sales.assignments": "routing"}
"""Topics in which nothing may stand twice, and who writes them."""


@dataclass(frozen=True)
class Report:
    """Lines of the table by name, in order, and what was found: nothing means that nothing was lost or doubled."""

    lines: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def violations(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        return tuple(map(str, self.findings))


def audit(records: Mapping[str, Sequence[Seen]], ledger: Ledger) -> Report:
    """Check what stands in the topics, by name without prefix, against each other and against the ledger."""
    events, leads, scored = (records.get(name, ()) for name in ("marketing.events", "leads.events", "leads.scored"))
    failed = {stage: records.get(f"{stage}.failed", ()) for stage in STAGES}
    queues = {name.removeprefix(QUEUE): found for name, found in records.items() if name.startswith(QUEUE)}
    changes = records.get("sales.assignments", ())
    findings = [
        *checks.every_event_is_ingested(events, _first(leads), failed["ingest"]),
        *checks.every_lead_event_is_scored_once(leads, _first(scored), failed["scoring"]),
        *checks.every_qualified_lead_is_assigned_once(
            scored, failed["routing"], ledger, records.get("sales.outcomes", ())
        ),
        *checks.every_assignment_is_on_its_queue_once(queues, ledger),
        *checks.every_change_is_published_in_order(changes, ledger),
        *(one for name in ONCE for one in checks.nothing_is_doubled(ONCE[name], name, _first(records.get(name, ())))),
        *(one for name, found in queues.items() for one in checks.nothing_is_doubled("routing", QUEUE + name, found)),
    ]
    qualified = {(seen.value or {}).get("lead_id") for seen in scored if checks.is_mql(seen)}
    routed = [seen for found in queues.values() for seen in found]
    lines = {
        "events in marketing.events": _count(events),
        "  distinct event ids": str(len({str(seen.value.get("event_id")) for seen in events if seen.value})),
        "records in leads.events": _count(leads),
        "records in leads.scored": _count(scored),
        "leads scored": str(len({seen.key for seen in scored})),
        "leads with an MQL transition": str(len(qualified)),
        "assignments in the ledger": str(len(ledger.assignments)),
        "leads suppressed at their last record": str(len(ledger.suppressed)),
        **{f"records on queue {name}": _count(found) for name, found in sorted(queues.items())},
        **{f"records in {stage}.failed": _by_reason(found) for stage, found in failed.items()},
        **{f"seconds {name}": _quantiles(_spans(routed, name)) for name in SPANS},
        "violations": str(len(findings)),
    }
    return Report(lines, tuple(findings))


def _first(records: Sequence[Seen]) -> list[Seen]:
    """Without what an operator sent back after it had failed: no stage wrote that, and it may come often."""
    return [seen for seen in records if "baton_replay_of" not in seen.headers]


SPANS = {
    "received to assigned": ("received_at", "assigned_at"),
    "received to on the queue": ("received_at", None),
    "captured to on the queue": ("captured_at", None),
    "scored to assigned": ("scored_at", "assigned_at"),
}
"""From which clock to which; None is the time of the record on the queue's topic."""


def _spans(routed: Iterable[Seen], name: str) -> list[float]:
    first, last = SPANS[name]
    found = []
    for seen in routed:
        clocks = (seen.value or {}).get("clocks") or {}
        start = _seconds(clocks.get(first))
        end = seen.timestamp_ms / 1000 if last is None else _seconds(clocks.get(last))
        if start is not None and end is not None:
            found.append(end - start)
    return sorted(found)


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _quantiles(ordered: Sequence[float]) -> str:
    """Nearest rank: the smallest value that at least the share of all values does not exceed."""
    if not ordered:
        return "none"
    p50, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
    return f"p50 {p50:.3f}, p99 {p99:.3f}, max {ordered[-1]:.3f} (of {len(ordered)})"


def _count(records: Sequence[Seen]) -> str:
    return str(len(records))


def _by_reason(records: Sequence[Seen]) -> str:
    reasons = Counter(seen.headers.get("baton_reason", "no reason given") for seen in records)
    parts = ", ".join(f"{reason} {times}" for reason, times in sorted(reasons.items()))
    return f"{len(records)}" + (f" ({parts})" if parts else "")
