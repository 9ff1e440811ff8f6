from __future__ import annotations

import pytest

from services.routing.ledger import Ledger
from tests.integration.routing.desk import everything, feed, outbox, rows, runner
from tests.unit.routing import world

pytestmark = pytest.mark.postgres


def test_a_qualified_lead_goes_to_its_queue_and_to_a_rep(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", segments=["enterprise"]))
    (routed,) = outbox(ledger, "sales.queue.enterprise")
    (change,) = outbox(ledger, "sales.assignments")

    assert ("ana", "enterprise", "big", "high", 1) == (
        routed["rep"],
        routed["queue"],
        routed["rule"],
        routed["priority"],
        routed["decision"]["turn"],
    )
    assert (1, "offered", "ana", routed["assignment_id"]) == (
        change["sequence"],
        change["status"],
        change["rep"],
        change["assignment_id"],
    )
    assert ["ana", "bo"] == [one["rep"] for one in routed["decision"]["candidates"]]


def test_a_lead_is_assigned_once_however_often_its_records_come(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    leads = [world.lead(f"lead-{i}", segments=["enterprise"] if i % 3 else []) for i in range(60)]
    feed(run, *leads)
    before = everything(ledger)
    feed(run, *leads, *leads)

    assert before == everything(ledger)
    assert 60 == len(before["assignments"])
    assert {"routing": {"processed": 60, "assigned_before": 120}} == run.outcomes


def test_a_lead_that_is_not_qualified_is_only_remembered(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", stage="inquiry", transition=None))

    assert [] == rows(ledger, "SELECT * FROM outbox")
    assert [{"lead_id": "lena", "email": "lena@example.com"}] == rows(ledger, "SELECT lead_id, email FROM leads")


def test_the_stage_counts_where_the_record_of_the_transition_was_compacted_away(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", transition=None))

    assert 1 == len(outbox(ledger, "sales.queue.general"))


def test_a_suppressed_lead_gets_no_assignment_and_the_ledger_says_why(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", quality=["test"]))

    assert [] == rows(ledger, "SELECT * FROM assignments")
    assert [{"reason": "test lead"}] == rows(ledger, "SELECT reason FROM suppressions")


def test_a_lead_that_is_no_longer_suppressed_is_assigned(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", quality=["test"]), world.lead("lena"))

    assert 1 == len(outbox(ledger, "sales.queue.general"))
    assert [] == rows(ledger, "SELECT * FROM suppressions")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * 10_000, "invalid_json"),
        (b'{"lead_id": "lena"}', "schema_violation"),
        (b'{"schema_version": 9, "shape": "new"}', "unsupported_version"),
        (None, "tombstone"),
        (world.lead("somebody-else").to_json(), "schema_violation"),
    ],
)
def test_a_record_that_cannot_be_read_fails_alone(ledger: Ledger, value: bytes | None, reason: str) -> None:
    run = runner(ledger, world.plan())
    run.send("leads.scored", b"lena", value)
    feed(run, world.lead("mia"))
    failed = rows(
        ledger, "SELECT value, convert_from(headers, 'UTF8') AS headers FROM outbox WHERE topic = 'routing.failed'"
    )

    assert [value] == [row["value"] if row["value"] is None else bytes(row["value"]) for row in failed]
    assert f'["baton_reason","{reason}"]' in failed[0]["headers"]
    assert 1 == len(outbox(ledger, "sales.queue.general"))


def test_lanes_have_no_gaps(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, *(world.lead(f"lead-{i}") for i in range(40)))
    feed(run, *(world.lead(f"lead-{i}") for i in range(40, 80)))
    lanes = rows(ledger, "SELECT lane, array_agg(sequence ORDER BY id) AS numbers FROM outbox GROUP BY lane")

    assert 160 == sum(len(lane["numbers"]) for lane in lanes)
    assert all(list(range(len(lane["numbers"]))) == lane["numbers"] for lane in lanes)


def test_a_lead_that_sales_still_has_is_not_assigned_again_when_it_qualifies_anew(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena"), world.lead("lena", as_of="2026-10-24T12:00:00Z"))

    assert 1 == len(rows(ledger, "SELECT 1 FROM assignments"))


def test_an_older_record_does_not_replace_what_is_known_of_a_lead(ledger: Ledger) -> None:
    run = runner(ledger, world.plan())
    feed(run, world.lead("lena", fit=90, as_of="2026-10-24T12:00:00Z"))
    feed(run, world.lead("lena", fit=10))

    assert ["90.0"] == [
        row["fit"] for row in rows(ledger, "SELECT convert_from(value, 'UTF8')::jsonb ->> 'fit' AS fit FROM leads")
    ]
