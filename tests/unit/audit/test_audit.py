"""The auditor finds what was lost and what was doubled, in every place where that can happen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.audit.findings import Kind, Stage
from tests.audit.ledger import Assigned, Ledger
from tests.audit.records import Seen
from tests.audit.report import audit

QUEUE = "sales.queue.general"
TO_MQL = {"from": "inquiry", "to": "mql", "reason": "engagement"}


def seen(topic: str, offset: int, value: dict[str, Any] | None, ce_id: str = "", **headers: str) -> Seen:
    named = {"ce_id": ce_id or f"{topic}-{offset}"}
    raw = None if value is None else json.dumps(value).encode()
    return Seen(topic, 0, offset, (value or {}).get("lead_id", ""), raw, named | headers, 1_800_000_010_000)


def failed(stage: str, offset: int, topic: str, of: int) -> Seen:
    place = {"baton_topic": topic, "baton_partition": "0", "baton_offset": str(of), "baton_reason": "invalid_json"}
    return seen(f"{stage}.failed", offset, None, **place)


def a_sound_path() -> tuple[dict[str, list[Seen]], Ledger]:
    """Three events in: one is refused, one scored, one qualifies its lead, which is offered to ana."""
    clocks = {"received_at": "2027-01-15T08:00:00Z", "assigned_at": "2027-01-15T08:00:04.500Z"}
    records = {
        "marketing.events": [
            seen("marketing.events", 0, {"event_id": "e0"}),
            seen("marketing.events", 1, None),
            seen("marketing.events", 2, {"event_id": "e2"}),
        ],
        "ingest.failed": [failed("ingest", 0, "marketing.events", 1)],
        "leads.events": [
            seen("leads.events", 0, {"lead_id": "l1", "event": {"event_id": "e0"}}),
            seen("leads.events", 1, {"lead_id": "l1", "event": {"event_id": "e2"}}),
        ],
        "leads.scored": [
            seen("leads.scored", 0, {"lead_id": "l1", "event_id": "e0", "transition": None}),
            seen("leads.scored", 1, {"lead_id": "l1", "event_id": "e2", "transition": TO_MQL}),
        ],
        QUEUE: [seen(QUEUE, 0, {"assignment_id": "a1", "lead_id": "l1", "clocks": clocks})],
        "sales.assignments": [
            seen(
                "sales.assignments", 0,
                {"assignment_id": "a1", "lead_id": "l1", "sequence": 1, "status": "offered", "queue": "general",
                 "rep": "ana"},
            )
        ],
    }  # fmt: skip
    return records, Ledger((Assigned("a1", "l1", 1, "general", ((1, "offered", "general", "ana"),)),))


def violations(records: dict[str, list[Seen]], ledger: Ledger) -> list[str]:
    return list(audit(records, ledger).violations)


def found(records: dict[str, list[Seen]], ledger: Ledger) -> set[tuple[Stage, Kind]]:
    return {(one.stage, one.kind) for one in audit(records, ledger).findings}


def test_a_sound_path_has_no_violations_and_tells_its_counts() -> None:
    report = audit(*a_sound_path())

    assert report.violations == ()
    assert report.lines["events in marketing.events"] == "3"
    assert report.lines["records in ingest.failed"] == "1 (invalid_json 1)"
    assert report.lines["leads with an MQL transition"] == "1"
    assert report.lines["seconds received to assigned"] == "p50 4.500, p99 4.500, max 4.500 (of 1)"


def test_what_an_operator_sent_back_is_no_doubled_record_and_still_has_to_have_its_effect() -> None:
    records, ledger = a_sound_path()
    for name, stage in (("leads.events", "scoring"), ("leads.scored", "routing")):
        last = records[name][-1]
        records[f"{stage}.failed"] = [failed(stage, 0, name, last.offset)]
        sent_back = {**last.headers, "baton_replay_of": f"{stage}-0-0"}
        records[name] += [replace(last, offset=last.offset + n, headers=sent_back) for n in (1, 2)]
    sound = violations(records, ledger)
    without_effect = violations(records, Ledger())

    assert sound == []
    assert "lead l1 qualified and is neither assigned nor suppressed" in without_effect


def test_an_event_that_ingest_lost_is_named() -> None:
    records, ledger = a_sound_path()
    records["ingest.failed"] = []

    assert "event None is 1 times in marketing.events and 0 times in leads.events" in violations(records, ledger)


def test_an_event_that_was_both_taken_and_refused_is_named() -> None:
    records, ledger = a_sound_path()
    records["ingest.failed"].append(failed("ingest", 1, "marketing.events", 2))

    assert violations(records, ledger) == ["event e2 is 0 times in marketing.events and 1 times in leads.events"]


def test_a_record_that_failed_twice_is_named() -> None:
    records, ledger = a_sound_path()
    records["ingest.failed"].append(failed("ingest", 1, "marketing.events", 1))

    assert violations(records, ledger) == ["ingest.failed has ('marketing.events', 0, 1) 2 times"]


def test_an_outcome_that_failed_is_among_the_failed_of_routing_once() -> None:
    records, ledger = a_sound_path()
    records["sales.outcomes"] = [seen("sales.outcomes", 0, None)]
    records["routing.failed"] = [failed("routing", 0, "sales.outcomes", 0)]
    sound = violations(records, ledger)
    records["routing.failed"] += [failed("routing", 1, "sales.outcomes", 0), failed("routing", 2, "sales.outcomes", 7)]

    assert sound == []
    assert violations(records, ledger) == [
        "routing.failed has ('sales.outcomes', 0, 0) 2 times",
        "routing.failed has ('sales.outcomes', 0, 7), which is not in its source",
    ]


def test_a_score_that_is_missing_or_doubled_is_named() -> None:
    records, ledger = a_sound_path()
    lost = {**records, "leads.scored": records["leads.scored"][1:]}
    doubled = {**records, "leads.scored": [*records["leads.scored"], replace(records["leads.scored"][0], offset=9)]}

    assert violations(lost, ledger) == ["lead l1: event e0 was never scored"]
    assert violations(doubled, ledger) == [
        "lead l1: event e0 was scored 2 times",
        "leads.scored: ce_id leads.scored-0 stands there 2 times",
    ]


def test_an_event_that_came_twice_may_be_twice_in_leads_events_but_is_scored_once() -> None:
    records, ledger = a_sound_path()
    records["marketing.events"].append(seen("marketing.events", 3, {"event_id": "e0"}))
    records["leads.events"].append(seen("leads.events", 2, {"lead_id": "l1", "event": {"event_id": "e0"}}, "same"))

    assert violations(records, ledger) == []


def test_a_qualified_lead_without_assignment_is_named_unless_it_is_suppressed() -> None:
    records, _ = a_sound_path()
    records[QUEUE], records["sales.assignments"] = [], []

    assert violations(records, Ledger()) == ["lead l1 qualified and is neither assigned nor suppressed"]
    assert violations(records, Ledger(suppressed={"l1": "test lead"})) == []


def test_a_second_assignment_of_one_qualification_is_named() -> None:
    records, ledger = a_sound_path()
    second = replace(ledger.assignments[0], assignment_id="a2", qualification=2)
    found = violations(records, Ledger((*ledger.assignments, second)))

    assert "lead l1 qualified 1 times and is assigned 2 times" in found
    assert "assignment a2 is 0 times on queue general, not 1 times" in found


def test_a_routed_lead_that_is_doubled_or_unknown_to_the_ledger_is_named() -> None:
    records, ledger = a_sound_path()
    records[QUEUE].append(seen(QUEUE, 1, {"assignment_id": "a1"}))
    records[QUEUE].append(seen(QUEUE, 2, {"assignment_id": "a9"}))

    assert violations(records, ledger) == [
        "assignment a1 is 2 times on queue general, not 1 times",
        "assignment a9 is on queue general, and the ledger knows nothing of it",
    ]


def test_an_offer_to_the_next_rep_is_no_new_record_of_the_queue_but_another_queue_is() -> None:
    records, ledger = a_sound_path()
    changes = (
        (1, "offered", "general", "ana"),
        (2, "declined", "general", "ana"),
        (3, "waiting", "general", None),
        (4, "offered", "overflow", "bo"),
    )
    records["sales.assignments"] = [
        seen(
            "sales.assignments", number,
            {"assignment_id": "a1", "sequence": number, "status": status, "queue": queue, "rep": rep},
        )
        for number, status, queue, rep in changes
    ]  # fmt: skip
    moved = Ledger((replace(ledger.assignments[0], changes=changes, queue="overflow"),))

    assert violations(records, moved) == ["assignment a1 is 0 times on queue overflow, not 1 times"]

    records["sales.queue.overflow"] = [seen("sales.queue.overflow", 0, {"assignment_id": "a1"})]

    assert violations(records, moved) == []


def test_a_change_that_was_not_published_and_an_outbox_that_is_not_empty_are_named() -> None:
    records, ledger = a_sound_path()
    records["sales.assignments"] = []

    assert violations(records, replace(ledger, unpublished=2)) == [
        "2 records of the outbox are not published",
        "assignment a1 changed as [(1, 'offered', 'general', 'ana')], and sales.assignments tells []",
    ]


def test_the_median_and_the_ninety_ninth_percentile_are_nearest_ranks() -> None:
    records, ledger = a_sound_path()
    records[QUEUE] = [
        seen(QUEUE, n, {"clocks": {"received_at": "2027-01-15T08:00:00Z",
                                   "assigned_at": f"2027-01-15T08:{n // 60:02}:{n % 60:02}Z"}})
        for n in range(1, 201)
    ]  # fmt: skip

    report = audit(records, ledger)

    # Of 1 … 200 seconds the 100th and the 198th in order.
    assert report.lines["seconds received to assigned"] == "p50 100.000, p99 198.000, max 200.000 (of 200)"


def test_what_is_found_names_the_stage_and_whether_it_is_lost_or_doubled() -> None:
    records, ledger = a_sound_path()
    [assigned] = ledger.assignments
    again = replace(records["leads.scored"][0], offset=9)
    second = replace(assigned, assignment_id="a2", qualification=2, changes=())
    of_nobody = seen("leads.events", 7, {"lead_id": "l1", "event": {"event_id": "e9"}})
    more = [*records["sales.assignments"], replace(records["sales.assignments"][0], offset=9)]

    assert found({**records, "ingest.failed": []}, ledger) == {("ingest", "lost")}
    assert found({**records, "leads.scored": records["leads.scored"][1:]}, ledger) == {("scoring", "lost")}
    assert found({**records, "leads.scored": [*records["leads.scored"], again]}, ledger) == {
        ("scoring", "published twice")
    }
    assert found({**records, "leads.events": [*records["leads.events"], of_nobody]}, ledger) == {
        ("ingest", "wrong"), ("scoring", "lost"),
    }  # fmt: skip
    assert found(records, replace(ledger, assignments=(assigned, second))) == {("routing", "doubled in state")}
    assert found({**records, QUEUE: []}, ledger) == {("routing", "lost")}
    assert found({**records, QUEUE: records[QUEUE] * 2}, ledger) == {("routing", "published twice")}
    assert found({**records, "sales.assignments": []}, ledger) == {("routing", "lost")}
    assert found({**records, "sales.assignments": more}, ledger) == {("routing", "published twice")}
