from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.chart import chart
from bench.equal import differing
from bench.export import export
from bench.peers.work import RULES, Record, Work
from bench.plan import Plan
from bench.world import STEPS, number_of, records
from schemas.lead import LeadEvent
from services.scoring.ruleset import load

ACTIVE = 51


def test_the_worlds_events_are_written_as_ingest_writes_them() -> None:
    for record in records(8 * ACTIVE, ACTIVE):
        assert LeadEvent.model_validate_json(record.value).to_json() == record.value


def test_each_lead_goes_all_its_steps_and_is_followed_by_another() -> None:
    events = [msgspec.json.decode(record.value) for record in records(4 * STEPS * ACTIVE, ACTIVE)]
    by_lead = Counter(event["lead_id"] for event in events)

    assert STEPS == max(by_lead.values())
    assert [f"e{n}" for n in range(len(events))] == [event["event"]["event_id"] for event in events]
    assert 7 == number_of("e7")


def test_a_number_of_leads_that_cannot_be_shuffled_is_refused() -> None:
    with pytest.raises(ValueError, match="7919"):
        next(records(1, 7_919))


def test_the_ruleset_has_forty_rules_and_no_notices() -> None:
    ruleset = load(RULES)

    assert (18, 22, ()) == (len(ruleset.fit), len(ruleset.engagement), ruleset.notices)


def test_one_record_at_a_time_comes_to_the_same_as_many() -> None:
    taken = [Record(*record) for record in records(4 * ACTIVE, ACTIVE)]
    work = Work()
    state: dict[bytes | None, bytes] = {}
    many, _ = work.many(taken, {})
    one = []
    for record in taken:
        output, state[record.key()] = work.one(record, state.get(record.key()))
        one.append(output)

    assert [output.value for output in many] == [output.value for output in one]


def test_every_rule_is_exported_with_its_condition() -> None:
    exported = export()
    with_condition = [rule for rule in exported["engagement"] if rule["when"]]

    assert (18, 22) == (len(exported["fit"]), len(exported["engagement"]))
    assert len(with_condition) == Path(RULES).read_text().split("engagement:")[1].split("groups:")[0].count("when:")


def test_the_marks_leave_room_for_those_who_take_partitions_unevenly() -> None:
    plan = replace(Plan(), events=1_000)
    marks = plan.marks(1.0, 1.0)

    assert marks.first + 1_000 == marks.last
    assert marks.last < plan.total


def test_what_differs_is_named() -> None:
    assert ["fit"] == differing({"fit": 1, "grade": "A1"}, {"fit": 2, "grade": "A1"})
    assert ["how it is written"] == differing({"fit": 1}, {"fit": 1})


def test_the_picture_names_everybody_and_escapes_what_they_are_called() -> None:
    picture = chart([("ours & fast", 10.0, 9.0, 11.0, True), ("theirs", 300.0, 290.0, 310.0, False)])

    assert "ours &amp; fast" in picture
    assert ">300.0<" in picture
