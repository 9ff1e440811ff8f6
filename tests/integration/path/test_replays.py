"""A failed record of each stage goes back, is mended on the way, and has its effect once, however often it goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from baton.failed import failed_record
from baton.patch import Patch
from baton.replay import replayed
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, MARKETING_EVENTS
from tests.audit import checks
from tests.audit.ledger import read_ledger
from tests.path import WholePath

FORM = Path(__file__).parents[2] / "cases" / "a-form-reaches-its-queue"
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
ASSIGNED = "sales.queue.enterprise", "sales.assignments"
EVENTS = [orjson.loads(line) for line in (FORM / "input.jsonl").read_bytes().splitlines()]
QUALIFYING = 1
"""The event that makes its lead an MQL."""

pytestmark = pytest.mark.postgres


@pytest.fixture
def path(database_url: str) -> Iterator[WholePath]:
    with WholePath(FORM / "config", database_url, NOW) as path:
        yield path


def replay(path: WholePath, stage: str, change: dict[str, Any]) -> None:
    """Send back all that failed in a stage up to now, mended."""
    for record in path.runner.records(f"{stage}.failed"):
        path.runner.publish([replayed(failed_record(record, stage), Patch([change]), path.runner.log.partitions)])  # type: ignore[arg-type]
    path.run()


def counts(path: WholePath) -> dict[str, int]:
    return {topic: len(records) for topic, records in path.seen().items()}


def last(path: WholePath, topic: str, event: str) -> Any:
    """The last record of a topic that came of an event."""
    found = [seen for seen in path.seen()[topic] if event in orjson.dumps(seen.value).decode()]
    return found[-1]


def test_an_event_that_ingest_refused_counts_once_when_it_is_replayed_twice(path: WholePath) -> None:
    path.send([event | {"source": "webstie"} if n == QUALIFYING else event for n, event in enumerate(EVENTS)])
    assert not set(ASSIGNED) & counts(path).keys()

    replay(path, "ingest", {"op": "replace", "path": "/source", "value": "website"})
    once = counts(path)
    replay(path, "ingest", {"op": "replace", "path": "/source", "value": "website"})
    twice = counts(path)

    assert (once["ingest.failed"], twice["ingest.failed"]) == (1, 1)
    assert twice[MARKETING_EVENTS] == once[MARKETING_EVENTS] + 1
    for topic in (LEADS_SCORED, *ASSIGNED):
        assert once[topic] == twice[topic], topic
    assert [twice[topic] for topic in ASSIGNED] == [1, 1]
    assert path.audit().violations == ()


def written_elsewhere(fresh_database: Any, topic: str, event: str) -> Any:
    """What the path writes to a topic of an event."""
    with WholePath(FORM / "config", fresh_database(), NOW) as path:
        path.send(EVENTS)
        return last(path, topic, event)


def test_a_leads_event_that_scoring_refused_counts_once_when_it_is_replayed_twice(
    path: WholePath, fresh_database: Any
) -> None:
    event = written_elsewhere(fresh_database, LEADS_EVENTS, '"f1"')
    path.send([EVENTS[0]])
    path.runner.send(LEADS_EVENTS, event.key.encode(), orjson.dumps(event.value | {"schema_version": 99}))
    path.run()
    assert not set(ASSIGNED) & counts(path).keys()

    mend = {"op": "replace", "path": "/schema_version", "value": 1}
    replay(path, "scoring", mend)
    once = counts(path)
    replay(path, "scoring", mend)
    twice, seen = counts(path), path.seen()

    assert (once["scoring.failed"], twice["scoring.failed"]) == (1, 1)
    for topic in (LEADS_SCORED, *ASSIGNED):
        assert once[topic] == twice[topic], topic
    assert [twice[topic] for topic in (LEADS_SCORED, *ASSIGNED)] == [2, 1, 1]
    assert (
        list(checks.every_lead_event_is_scored_once(seen[LEADS_EVENTS], seen[LEADS_SCORED], seen["scoring.failed"]))
        == []
    )


def test_a_scored_lead_that_routing_refused_is_assigned_once_when_it_is_replayed_twice(
    path: WholePath, database_url: str, fresh_database: Any
) -> None:
    scored = written_elsewhere(fresh_database, LEADS_SCORED, '"f1"')
    path.runner.send(LEADS_SCORED, scored.key.encode(), orjson.dumps(scored.value | {"schema_version": 99}))
    path.run()
    assert not set(ASSIGNED) & counts(path).keys()

    mend = {"op": "replace", "path": "/schema_version", "value": 1}
    replay(path, "routing", mend)
    once = counts(path)
    replay(path, "routing", mend)
    twice, seen = counts(path), path.seen()
    ledger = read_ledger(database_url)

    assert (once["routing.failed"], twice["routing.failed"]) == (1, 1)
    assert [twice[topic] for topic in ASSIGNED] == [once[topic] for topic in ASSIGNED] == [1, 1]
    assert [one.lead_id for one in ledger.assignments] == [scored.key]
    assert (
        list(checks.every_qualified_lead_is_assigned_once(seen[LEADS_SCORED], seen["routing.failed"], ledger, [])) == []
    )
    assert list(checks.every_assignment_is_on_its_queue_once({"enterprise": seen[ASSIGNED[0]]}, ledger)) == []


def test_a_record_that_is_replayed_unmended_fails_again_and_says_which_failure_it_repeats(path: WholePath) -> None:
    path.send([EVENTS[0] | {"source": "webstie"}])
    [first] = path.runner.records("ingest.failed")
    found = failed_record(first, "ingest")  # type: ignore[arg-type]
    path.runner.publish([replayed(found)])
    path.run()
    _, second = path.runner.records("ingest.failed")
    again = failed_record(second, "ingest")  # type: ignore[arg-type]

    assert found.replay_of == ""
    assert again.replay_of == found.id
    assert (again.key, again.value, again.headers) == (found.key, found.value, found.headers)
    assert (again.partition, again.offset) == (found.partition, found.offset + 1)
