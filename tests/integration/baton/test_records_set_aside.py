"""What routing made and its topic did not take is listed, shown, given out and sent there, once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from baton import failed, replays
from baton.provisioning import kafka_address
from baton.records import raw_headers
from baton.transactions import Outbound
from schemas.topics import SALES_ASSIGNMENTS
from services.routing.aside import set_aside
from services.routing.ledger.outbox import Waiting
from streaming.partition import partition_of
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.baton.failures import baton, told
from tests.integration.baton.installation import Installation

pytestmark = pytest.mark.kafka

VALUE = b'{"assignment_id":"a-1","rep":"ada","priority":1}'
HEADERS = [("ce_id", b"e-1"), ("baton_received_at", b"then")]


def aside(here: Installation, topic: str, value: bytes = VALUE, key: bytes = b"lead-1") -> str:
    """The id of a record that the relay has set aside just now."""
    before = set(here.ids())
    record = Waiting(7, 4, 11, Output(here.prefix + topic, key, value, HEADERS, lane=4))
    with Outbound(kafka_address(here.settings), here.prefix + "relay") as outbound:
        outbound.send([set_aside(record, here.prefix + "routing.failed", time.time()).output])
    [made] = set(here.ids()) - before
    return made


@pytest.fixture
def queue(here: Installation) -> str:
    apply(kafka_address(here.settings), [TopicSpec(here.prefix + "sales.queue.smb", 3)])
    return "sales.queue.smb"


def test_it_is_listed_shown_and_given_out(here: Installation, queue: str) -> None:
    name = aside(here, queue)
    [row] = told("list", "--reason", "too_large")
    shown = told("show", name)
    exported = json.loads(baton("export").output)

    assert (row["id"], row["topic"], row["partition"], row["offset"]) == (name, here.prefix + queue, -1, -1)
    assert "raise its max.message.bytes" in row["detail"]
    assert shown == exported
    assert (shown["key"], shown["value"].encode()) == ("lead-1", VALUE)
    assert [(one["name"], one["value"].encode()) for one in shown["headers"]] == HEADERS
    assert baton("show", name, "--value").stdout_bytes == VALUE


def test_it_goes_to_its_topic_as_it_was_and_once_however_often_it_is_asked_for(here: Installation, queue: str) -> None:
    name = aside(here, queue)
    answers = [told("replay", *what) for what in (["--reason", "too_large"], ["--all"], [name], [name])]
    [back] = here.holds(queue)

    assert [one["replayed"] for one in answers] == [1, 0, 0, 0]
    assert [one["left_out"] for one in answers] == [0, 1, 1, 1]
    assert (back.key(), back.value()) == (b"lead-1", VALUE)
    assert raw_headers(back) == [*HEADERS, ("baton_replay_of", name.encode())]
    assert told("replay", name, "--again")["replayed"] == 1
    assert len(here.holds(queue)) == 2


def test_it_may_be_made_smaller_first(here: Installation, queue: str, tmp_path: Path) -> None:
    (tmp_path / "patch.json").write_text('[{"op": "remove", "path": "/priority"}]')
    told("replay", aside(here, queue), "--edit", str(tmp_path / "patch.json"))

    assert here.values(queue) == [b'{"assignment_id":"a-1","rep":"ada"}']


def test_a_change_that_was_set_aside_does_not_become_the_last_of_its_lead_again(here: Installation) -> None:
    of = {key: partition_of(key, 3) for key in (b"lead-1", b"lead-2")}
    for key, number in of.items():
        here.sends(SALES_ASSIGNMENTS, b"before", key, number)
    old, last = (aside(here, SALES_ASSIGNMENTS, key=key) for key in of)
    here.sends(SALES_ASSIGNMENTS, b"newer", b"lead-1", of[b"lead-1"])
    result = told("replay", "--all")
    own = told("replay", last, "--again", "--dry-run")

    assert (result["overtaken"], result["replayed"]) == ([old], 1)
    assert [one.value() for one in here.holds(SALES_ASSIGNMENTS) if one.key() == b"lead-1"] == [b"before", b"newer"]
    assert own["selected"] == 1


def test_the_replay_of_an_older_change_is_no_newer_one(here: Installation) -> None:
    first, _ = (aside(here, SALES_ASSIGNMENTS, b'{"sequence":%d}' % n) for n in (1, 2))
    told("replay", first)
    result = told("replay", "--all")

    assert (result["overtaken"], result["replayed"]) == ([], 1)
    assert [one.value() for one in here.holds(SALES_ASSIGNMENTS)] == [b'{"sequence":1}', b'{"sequence":2}']


def test_one_that_is_still_too_large_is_named_and_nothing_is_lost(here: Installation, real_kafka: str) -> None:
    apply(real_kafka, [TopicSpec(f"{here.prefix}small", 1, {"max.message.bytes": "2000"})])
    aside(here, "small", b'{"fits":1}')
    large = aside(here, "small", b'{"x":"%s"}' % (b"x" * 5_000))
    result = baton("replay", "--all")

    assert result.exit_code == 1
    assert f"the largest for {here.prefix}small is {large}, of 5,008 bytes" in result.output
    assert here.values("small") == []
    assert [replays.known(here.settings).of(one) for one in failed.records(here.settings)] == [None, None]
