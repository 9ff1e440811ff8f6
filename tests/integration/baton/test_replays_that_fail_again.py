"""While the cause is not mended, replays fail again; their number stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.records import raw_headers
from schemas.topics import MARKETING_EVENTS
from tests.integration.baton.failures import baton, told
from tests.integration.baton.installation import Installation
from tests.waiting import until

pytestmark = pytest.mark.kafka

WAIT = 30.0


def fail_again(here: Installation, done: int, count: int) -> int:
    """What a stage would do that still cannot process them: the `count` that came back after `done` fail once more."""
    back = until(
        lambda: len(found := here.holds(MARKETING_EVENTS)) >= done + count and found, WAIT, "all of them to be readable"
    )
    for one in back[done:]:
        here.fails("ingest", one.value(), one.key(), headers=raw_headers(one)[-1:])
    return len(back)


def test_replays_that_fail_each_time_do_not_become_more(here: Installation) -> None:
    done, sent = 0, []
    for n in range(3):
        here.fails("ingest", b"%d" % n, b"same")
    for _ in range(3):
        sent.append(told("replay", "--reason", "unknown_source", "--again"))
        done = fail_again(here, done, 3)
    dry = baton("replay", "--reason", "unknown_source", "--again", "--dry-run").output
    by_name = told("replay", *here.ids(), "--dry-run")
    first = told("replay", here.ids()[0], "--dry-run")

    assert [one["replayed"] for one in sent] == [3, 3, 3]
    assert [len(one["failed_again"]) for one in sent] == [0, 3, 6]
    assert "9 are left out, a replay of the same record failed later, and goes in their place" in dry
    assert (by_name["selected"], len(by_name["failed_again"])) == (3, 9)
    assert (first["selected"], first["failed_again"]) == (1, [])


def test_a_chain_holds_where_a_link_is_not_named_and_stands_elsewhere(here: Installation) -> None:
    """Failures of a record without a key spread over partitions."""
    origin: list[tuple[str, bytes | None]] = []
    for partition in range(3):
        at = f"2026-11-02T09:00:0{partition}Z"
        here.fails("ingest", b"{}", None, at=at, stands_in=partition, headers=origin)
        if partition < 2:
            name = f"ingest-{partition}-0"
            baton("replay", name)
            origin = [("baton_replay_of", name.encode())]
    ends = told("replay", "ingest-0-0", "ingest-2-0", "--dry-run")

    assert (ends["selected"], ends["failed_again"]) == (1, ["ingest-0-0"])


def test_a_patch_need_not_fit_what_is_left_out(here: Installation, tmp_path: Path) -> None:
    patch = tmp_path / "patch.json"
    patch.write_text('[{"op": "test", "path": "/n", "value": 2}]')
    here.fails("ingest", b'{"n":1}')
    baton("replay", "--all")
    here.fails("ingest", b'{"n":2}', headers=[("baton_replay_of", here.ids()[0].encode())])

    assert told("replay", "--all", "--again", "--edit", str(patch))["replayed"] == 1
