"""A record that no topic takes is kept by the ledger, and `baton failed` finds it there by its note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baton import failed
from baton.failed import Selection
from baton.provisioning import kafka_address
from baton.records import raw_headers
from services.routing.ledger import Ledger, upgrade
from services.routing.relay import kafka_relay
from streaming.memory import MemoryRecord
from streaming.run import failed_record
from streaming.stage import Failure, Output
from streaming.topics import TopicSpec, apply
from tests.integration.baton.failures import baton, told
from tests.integration.baton.installation import Installation
from tests.integration.routing.relays import empty, written
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

LARGE = b'{"x":"%s"}' % (b"x" * 3_000_000)
HEADERS = [("ce_id", b"e-1"), ("raw", b"\xff")]
QUEUE, SCORED = "sales.queue.smb", "leads.scored"


def limit(here: Installation, topic: str, most: int) -> None:
    apply(kafka_address(here.settings), [TopicSpec(here.prefix + topic, 3, {"max.message.bytes": str(most)})])


@pytest.fixture
def ledger(here: Installation, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """With a routed lead that neither its queue nor `routing.failed` takes, and a failed record likewise."""
    monkeypatch.setenv("BATON_DATABASE_URL", database_url)
    upgrade(database_url)
    ledger = Ledger.at(database_url)
    limit(here, QUEUE, 1_000_000)
    source = MemoryRecord(here.prefix + SCORED, 2, 17, b"lead-2", LARGE, tuple(HEADERS), 5)
    refused = Failure(source, "schema_violation", "person: is missing", "the trace")
    lead = Output(here.prefix + QUEUE, b"lead-1", LARGE, HEADERS, lane=0)
    with ledger.unit() as unit:
        unit.publish([lead, failed_record(here.prefix + "routing.failed", refused, "2026-11-02T09:00:00Z")])
    relay = kafka_relay(ledger, kafka_address(here.settings), here.prefix)
    relay.start()
    until(lambda: empty(ledger), 60, "an empty outbox")
    relay.stop()
    yield ledger
    ledger.close()


def name_of(here: Installation, reason: str) -> str:
    [one] = failed.records(here.settings, Selection(reason=reason))
    return one.id


def test_it_is_shown_and_given_out_whole(here: Installation, ledger: Ledger, tmp_path: Path) -> None:
    lead, refused = name_of(here, "too_large"), name_of(here, "schema_violation")
    shown = told("show", refused)
    baton("export", str(tmp_path / "all.jsonl"))
    exported = {one["id"]: one for one in map(json.loads, (tmp_path / "all.jsonl").read_bytes().splitlines())}

    assert {one["id"] for one in told("list")} == {lead, refused}
    assert baton("show", lead, "--value").stdout_bytes == LARGE
    assert exported[refused] == shown
    assert (shown["key"], shown["value"].encode(), shown["trace"]) == ("lead-2", LARGE, "the trace")
    assert (shown["topic"], shown["partition"], shown["offset"]) == (here.prefix + SCORED, 2, 17)
    assert shown["headers"] == [{"name": "ce_id", "value": "e-1"}, {"name": "raw", "base64": "/w=="}]


def test_it_goes_to_its_topic_whole_and_once_when_that_takes_it(here: Installation, ledger: Ledger) -> None:
    lead, refused = name_of(here, "too_large"), name_of(here, "schema_violation")
    early = baton("replay", "--all")
    limit(here, QUEUE, 4_000_000)
    limit(here, SCORED, 4_000_000)
    answers = [told("replay", *what) for what in (["--all"], ["--all"], [lead])]
    [routed], [scored] = here.holds(QUEUE), here.holds(SCORED)

    assert early.exit_code == 1
    assert "is larger than its topic takes" in early.output
    assert [one["replayed"] for one in answers] == [2, 0, 0]
    assert (routed.key(), routed.value()) == (b"lead-1", LARGE)
    assert raw_headers(routed) == [*HEADERS, ("baton_replay_of", lead.encode())]
    assert (scored.key(), scored.value(), scored.partition()) == (b"lead-2", LARGE, 2)
    assert raw_headers(scored) == [*HEADERS, ("baton_replay_of", refused.encode())]


def test_it_may_be_made_smaller_first(here: Installation, ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "patch.json").write_text('[{"op": "replace", "path": "/x", "value": 1}]')
    told("replay", "--all", "--edit", str(tmp_path / "patch.json"))

    assert here.values(QUEUE) == here.values(SCORED) == [b'{"x":1}']


def test_without_the_ledger_it_is_listed_and_no_note_is_sent_in_its_place(
    here: Installation, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lead = name_of(here, "too_large")
    written(ledger, "DELETE FROM set_aside WHERE topic LIKE '%queue%'")
    gone = baton("replay", lead)
    monkeypatch.delenv("BATON_DATABASE_URL")
    unknown = [baton(*what) for what in (["replay", "--all"], ["show", lead], ["export", str(tmp_path / "x")])]

    assert gone.exit_code == 1
    assert f"{lead}: the ledger does not have it" in gone.output
    assert [one.exit_code for one in unknown] == [1, 2, 2]
    assert all("no database is given" in one.output for one in unknown)
    assert len(told("list")) == 2
    assert here.values(QUEUE) == here.values(SCORED) == []


def test_a_note_whose_record_is_gone_holds_up_no_other(here: Installation, ledger: Ledger, tmp_path: Path) -> None:
    lead = name_of(here, "too_large")
    written(ledger, "DELETE FROM set_aside WHERE topic LIKE '%queue%'")
    limit(here, SCORED, 4_000_000)
    exported = baton("export", str(tmp_path / "all.jsonl"))
    answer = told("replay", "--all")
    notes = {one["id"]: one for one in map(json.loads, (tmp_path / "all.jsonl").read_bytes().splitlines())}

    assert (answer["replayed"], answer["gone"]) == (1, [lead])
    assert "1 is left out: the ledger does not have the record" in baton("replay", "--all").output
    assert [one.value() for one in here.holds(SCORED)] == [LARGE]
    assert here.values(QUEUE) == []
    assert exported.exit_code == 0
    assert f"{lead}: the ledger does not have it" in exported.output
    assert (len(notes), notes[lead]["reason"], notes[lead]["value"]) == (2, "too_large", None)
