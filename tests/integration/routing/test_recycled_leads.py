"""What sales gave back is assigned anew to what happened since, and to nothing that routing has dealt with before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schemas import ScoredLead
from services.routing.ledger import Ledger, entries, upgrade
from services.routing.ledger.entries import Lead
from services.routing.outcomes import Outcomes
from streaming.memory import MemoryRecord, MemoryRunner
from tests.integration.routing.desk import everything, feed, rows, runner
from tests.unit.routing import histories, world
from tests.waiting import until

pytestmark = pytest.mark.postgres

NINE = histories.NINE
NAMES = count()

Say = Callable[..., str]


@pytest.fixture
def run(ledger: Ledger) -> MemoryRunner:
    return runner(ledger, world.plan())


@pytest.fixture
def say(ledger: Ledger) -> Say:
    """Takes what sales says of a lead, and gives what came of it."""
    outcomes, numbers = Outcomes(ledger, world.plan(), clock=lambda: world.NOON), count()

    def say(kind: str, at: datetime, name: str = "lena") -> str:
        number = next(numbers)
        value = {"outcome_id": f"o-{number}", "kind": kind, "lead_id": name, "occurred_at": at.isoformat()}
        return outcomes.take(MemoryRecord("sales.outcomes", 0, number, name.encode(), orjson.dumps(value), (), 0))

    return say


def qualifies(hours: float, name: str = "lena", **more: Any) -> ScoredLead:
    """A record that says that the lead has become an MQL, so long after nine."""
    return world.lead(name, as_of=NINE + timedelta(hours=hours), event_id=f"{name}-{hours}", **more)


def qualifications(ledger: Ledger, name: str = "lena") -> list[int]:
    found = rows(ledger, "SELECT qualification AS q FROM assignments WHERE lead_id = :name ORDER BY 1", name=name)
    return [row["q"] for row in found]


@pytest.mark.parametrize(
    ("captured", "recycled"),
    [
        (0, -9),  # sales gave a day and no time
        (0, -24 * 365),
        (0, 0),
        (23, 3),  # the event ran ahead: by up to a day it may
        (0, 24),  # or sales did
    ],
)
def test_the_record_of_a_recycled_lead_does_not_assign_it_again_when_it_is_replayed(
    ledger: Ledger, run: MemoryRunner, say: Say, captured: float, recycled: float
) -> None:
    feed(run, record := qualifies(captured))
    assert say("recycled", NINE + timedelta(hours=recycled)) == "applied"
    before = everything(ledger)
    feed(run, record, record)

    assert before == everything(ledger)


def test_nor_does_one_that_came_while_sales_still_had_it(ledger: Ledger, run: MemoryRunner, say: Say) -> None:
    feed(run, qualifies(0), while_held := qualifies(2))
    say("recycled", NINE + timedelta(hours=1))
    feed(run, while_held)

    assert [1] == qualifications(ledger)


def test_nor_one_of_what_happened_before_sales_gave_it_back(ledger: Ledger, run: MemoryRunner, say: Say) -> None:
    feed(run, qualifies(0))
    say("recycled", NINE + timedelta(hours=3))
    feed(run, qualifies(3))

    assert [1] == qualifications(ledger)


def test_what_comes_late_may_qualify_it_beside_what_is_as_new(ledger: Ledger, run: MemoryRunner, say: Say) -> None:
    """A record that comes late has the `as_of` of the lead's latest event, which another one had before."""
    feed(run, qualifies(0))
    say("recycled", NINE)
    feed(run, qualifies(2, transition=None), qualifies(2), qualifies(2, transition=None), qualifies(2))

    assert [1, 2] == qualifications(ledger)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(histories.STEPS, min_size=3, max_size=6))
def test_no_record_that_was_dealt_with_ever_assigns_a_lead(
    ledger: Ledger, run: MemoryRunner, say: Say, steps: list[histories.Step]
) -> None:
    """A few examples on the real ledger; `test_due_qualifications` tries hundreds on a model of it."""
    name = f"lead-{next(NAMES)}"
    settled: list[ScoredLead] = []
    for step in [histories.FIRST, *steps]:
        if isinstance(step, histories.Said):
            say(step.kind, histories.at(step.hours), name)
        else:
            feed(run, record := step.lead(name))
            settled.append(record)
        before = qualifications(ledger, name)
        feed(run, *settled)

        assert before == qualifications(ledger, name)


def test_sales_giving_a_lead_back_waits_for_the_round_that_has_it(ledger: Ledger, run: MemoryRunner, say: Say) -> None:
    """Else the round's record would count as one of afterwards when it is replayed."""
    feed(run, qualifies(0))
    late = qualifies(2)
    with ThreadPoolExecutor(1) as pool:
        with ledger.unit() as unit:
            kept = Lead("lena", None, late.to_json(), late.as_of)
            entries.keep_leads(unit.connection, [kept])
            said = pool.submit(say, "recycled", NINE + timedelta(hours=1))
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            until(lambda: said.done() or rows(ledger, waiting), 10, "sales to wait")
            assert not said.done()
        assert said.result(10) == "applied"
    feed(run, late)

    assert [1] == qualifications(ledger)


def test_what_was_recycled_before_an_upgrade_is_not_assigned_by_a_replay(
    ledger: Ledger, run: MemoryRunner, say: Say, database_url: str
) -> None:
    feed(run, record := qualifies(0))
    say("recycled", NINE - timedelta(hours=9))
    with ledger.engine.begin() as connection:
        connection.execute(text("ALTER TABLE assignments DROP COLUMN known_as_of"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    upgrade(database_url)
    feed(run, record)
    before = qualifications(ledger)
    feed(run, qualifies(1))

    assert ([1], [1, 2]) == (before, qualifications(ledger))


def test_what_a_worker_of_the_version_before_recycles_stays_closed(ledger: Ledger, run: MemoryRunner, say: Say) -> None:
    feed(run, record := qualifies(0))
    say("recycled", NINE)
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE assignments SET known_as_of = NULL"))
    feed(run, record, qualifies(1))

    assert [1] == qualifications(ledger)
