"""What a stage writes is taken by no topic for good: there is none any more, or the record is larger than it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deletion import delete
from tests.faults.workers import Worker
from tests.integration.shipped.stages import PEOPLE, RUBBISH, WAIT, Shipped, record_of
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

MOST_BYTES = 40_000
LARGE = 50
"""Parts of 900 bytes of a record that leads to one too large."""


def ended(worker: Worker, one: Shipped, codes: list[int]) -> bool:
    """Whether it has ended, and said why; it is started again as by any supervisor.

    Kafka's client says it where it may not write there, and where that takes long, the worker asks.
    """
    codes.extend(code for code in [worker.tend()] if code is not None)
    said = one.said()
    return bool(codes) and ("an output cannot be published: " in said or "there is no topic " in said)


def tended(worker: Worker, settled: Callable[[], bool]) -> bool:
    worker.tend()
    return settled()


def test_stages_whose_topics_are_deleted_lose_nothing_once_there_are_some_again(shipped: dict[str, Shipped]) -> None:
    """Ingest and scoring end and say why; what routing has set aside waits in the ledger, and its relay says so."""
    codes: dict[str, list[int]] = {name: [] for name in shipped}
    workers = {name: one.start() for name, one in shipped.items()}
    ingest, routing = shipped["ingest"], shipped["routing"]
    for one in shipped.values():
        one.give(PEOPLE)
    for one in shipped.values():
        one.settled()
        delete(one.servers.kafka, one.failed_topic)
        if one is ingest:
            delete(one.servers.kafka, one.output)
        one.give_rubbish(3, between=True)
        one.give(PEOPLE)
    for name in ("ingest", "scoring"):
        one, worker = shipped[name], workers[name]
        until(lambda: ended(worker, one, codes[name]), WAIT, f"{name} to end", every=0.2)  # noqa: B023
    told = until(lambda: routing.readiness()[1].get("routing.relay"), WAIT, "the relay to say what it waits for")
    for one in shipped.values():
        one.make_topics()
    for name, one in shipped.items():
        worker = workers[name]
        until(lambda: tended(worker, one.is_settled), WAIT, f"{name} to settle the rest", every=0.2)  # noqa: B023
        assert [seen.raw for seen in one.failed()] == [RUBBISH] * 3

    assert routing.failed_topic in told
    assert {name: set(found) for name, found in codes.items()} == {"ingest": {1}, "scoring": {1}, "routing": set()}
    for name in ("scoring", "routing"):
        assert shipped[name].violations() == []
    gone = {f"event e{number} is 1 times in marketing.events and 0 times in leads.events" for number in range(PEOPLE)}
    assert set(ingest.violations()) == gone  # with the topic


def test_what_leads_to_a_record_too_large_is_set_aside_as_it_was_and_its_neighbours_go_through(
    shipped: dict[str, Shipped],
) -> None:
    for name in ("ingest", "scoring"):
        one = shipped[name]
        one.limit_output(MOST_BYTES)
        one.give(PEOPLE)
        one.give(3, size=LARGE)
        one.give(PEOPLE)
        one.start()
    for name in ("ingest", "scoring"):
        one = shipped[name]
        one.settled()
        failed = sorted(one.failed(), key=lambda seen: seen.raw or b"")
        assert [seen.raw for seen in failed] == [record_of(name, PEOPLE + n, LARGE)[1] for n in range(3)]
        assert {(seen.headers["baton_reason"], seen.headers["baton_topic"]) for seen in failed} == {
            ("too_large", one.source)
        }
        assert len(one.seen(one.output.removeprefix(one.servers.prefix))) == 2 * PEOPLE
        assert one.violations() == []
        assert one.is_ready()
