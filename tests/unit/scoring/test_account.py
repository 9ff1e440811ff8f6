from collections.abc import Iterable
from datetime import timedelta

from schemas import ScoredLead
from services.scoring.account import Told, summary, told
from services.scoring.event import Event
from services.scoring.scored import Scored
from tests.unit.scoring.scoring_world import RULES, RULESET, lead, rules_of, written


def models(events: Iterable[Event]) -> list[ScoredLead]:
    return [ScoredLead.model_validate_json(record) for record in written(events)[0]]


def test_the_record_is_what_the_schema_says_and_as_the_model_would_write_it() -> None:
    records, _ = written(
        [
            lead("a", "demo_requested", attributes={"job_title": "VP Sales", "budget": {"eur": 5}}),
            lead("b", "page_viewed", timedelta(days=1, microseconds=5), campaign={"source": "google"}),
        ]
    )
    for record in records:
        read = ScoredLead.model_validate_json(record)

        assert set(ScoredLead.model_fields) == set(Scored.__struct_fields__)
        assert record == read.to_json()
        assert {} == read.model_extra


def test_the_account_tells_each_rule_what_it_adds_and_why() -> None:
    records = models(
        [
            lead("a", "page_viewed", properties={"path": "/pricing"}, attributes={"job_title": "VP Sales"}),
            lead("b", "form_submitted", timedelta(days=7)),
        ]
    )

    lines = told(records[-1], RULESET)

    assert [
        ("boss", "+30"),
        ("seller", "+20"),
        ("group:person", "-10"),
        ("form", "+10"),
        ("pricing", "+8 of 16"),
        ("page", "+1.5 of 3"),
    ] == [(line.rule, line.points) for line in lines]
    assert (
        Told(
            "pricing",
            "engagement",
            "+8 of 16",
            "page_viewed where path begins with “/pricing”; at most 3 in 1 day; halves every 7 days (faded to 50%)",
        )
        == lines[4]
    )


def test_the_summary_says_how_the_lead_stands_and_whether_the_rules_have_changed() -> None:
    records = models([lead("a", "demo_requested")])
    other = rules_of(RULES.replace("points: 60", "points: 61"))

    assert [
        "Grade D2: fit 0 of 100, engagement 60 of 100, as of 2026-09-07 12:00 UTC.",
        "Stage mql; keen.",
        "Moved from inquiry to mql: raised a hand: demo_requested.",
    ] == summary(records[0], RULESET)
    assert "The rules have changed" in summary(records[0], other)[-1]
