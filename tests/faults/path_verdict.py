"""The independent reader of the path: what stands there of each person against what must come of them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psycopg

from tests.audit.findings import STAGES, Finding
from tests.audit.look import look
from tests.faults import people
from tests.faults.changelogs import Known, known
from tests.faults.patience import Patience
from tests.faults.verdict import Verdict, committed_records, judge_lanes, read_changelog

READ_SECONDS = 900.0


def judge_path(
    bootstrap: str, database: str, prefix: str, count: int, seconds: float, times: int = 1
) -> dict[str, Verdict]:
    """The three stages, once they have come to rest; looks again until nothing is amiss or `seconds` have passed.

    `times`: how often all that people sent was sent.
    """
    patience = Patience(seconds)
    while True:
        verdicts = _look(bootstrap, database, prefix, count, times)
        if patience.over or not any(verdict.violations for verdict in verdicts.values()):
            return verdicts
        time.sleep(3)


@dataclass
class Found:
    """What stands there of each person, by e-mail address: in the changelog, as scores, on queues."""

    remembered: Mapping[str, Known]
    came: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    final: dict[str, tuple[float, float, str, str]] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def take(verdicts: Mapping[str, Verdict], findings: Iterable[Finding]) -> None:
    """Count what the audit found, each at its stage."""
    for finding in findings:
        verdict = verdicts[finding.stage]
        verdict.lost += finding.kind == "lost"
        verdict.doubled += finding.kind == "doubled in state"
        verdict.duplicates += finding.kind == "published twice"
        verdict.say(finding.sentence)


def judge_person(scoring: Verdict, routing: Verdict, person: int, found: Found) -> None:
    """Whether what stands there of a person is what must come of them."""
    who, due = people.email(person), people.expected(person)
    scores, final, remembered = found.came.get(who, []), found.final.get(who), found.remembered.get(who)
    if len(scores) != due.events:
        scoring.lost += max(0, due.events - len(scores))
        scoring.duplicates += max(0, len(scores) - due.events)
        scoring.say(f"{who} has {len(scores)} scores for {due.events} events")
    elif scores != people.order(person):
        scoring.say(f"the scores of {who} came in the order {scores}")
    elif final != (due.fit, due.engagement, due.grade, due.stage):
        scoring.doubled += final is not None and final[1] > due.engagement
        scoring.say(f"{who} ends as {final}, not as {due}")
    if remembered != (state := Known(due.events, due.views, due.stage)):
        scoring.doubled += remembered is not None and (remembered.events, remembered.views) > (due.events, due.views)
        scoring.say(f"{who} is remembered as {remembered}, not as {state}")
    queues = found.queues.get(who, [])
    if queues != ([due.queue] if due.queue else []):
        routing.lost += due.queue is not None and due.queue not in queues
        routing.doubled += len(queues) > (due.queue is not None)
        routing.say(f"{who} is on {queues}, not on {due.queue}")


def _look(bootstrap: str, database: str, prefix: str, count: int, times: int) -> dict[str, Verdict]:
    report = look(bootstrap, database, prefix, READ_SECONDS)
    records = sum(len(people.records(person)) for person in range(count)) * times
    events = sum(people.expected(person).events for person in range(count))
    verdicts = {"ingest": Verdict(records), "scoring": Verdict(events), "routing": Verdict(events)}
    ingest, scoring, routing = verdicts.values()
    take(verdicts, report.findings)
    found = Found(known(read_changelog(scoring, bootstrap, f"{prefix}scoring.state")))
    read_changelog(ingest, bootstrap, f"{prefix}ingest.state")
    judge_lanes(routing, bootstrap, f"{prefix}routing.state", database)
    for message in committed_records(bootstrap, prefix + "leads.scored"):
        if message.value() == people.RUBBISH:
            continue
        value = json.loads(message.value() or b"{}")
        who = str(value["person"]["email"])
        found.came[who].append(value["event_id"])
        found.final[who] = (value["fit"], value["engagement"], value["grade"], value["stage"])
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT l.email, a.queue FROM assignments a JOIN leads l USING (lead_id)").fetchall()
    for who, queue in rows:
        found.queues[who].append(queue)
    for person in range(count):
        judge_person(scoring, routing, person, found)
    rubbish, poison = (sum(map(bad, range(count))) for bad in (people.rubbish_after, people.poison_after))
    for stage, wanted in zip(STAGES, (rubbish * times, poison, poison), strict=True):
        failed = int(report.lines[f"records in {stage}.failed"].split()[0])
        if failed != wanted:
            verdicts[stage].say(f"{stage}.failed has {failed} records, not {wanted}")
        verdicts[stage].notes.append(f"{failed} failed")
    ingest.notes.append(f"{count} people")
    routing.notes.append(f"{len(rows)} assignments")
    return verdicts
