"""`baton failed` on a broker: what was written by stages is listed, shown, exported and sent back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from baton import failed, replay, replays
from baton.failed import Selection
from baton.provisioning import kafka_address
from baton.records import raw_headers
from baton.refusal import Refusal
from baton.transactions import Outbound
from schemas.topics import LEADS_SCORED, MARKETING_EVENTS
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.baton.failures import baton, on_a_terminal, told
from tests.integration.baton.installation import ODD, Installation

pytestmark = pytest.mark.kafka

NONE_LEFT_OUT = {"left_out": 0, "notices": 0, "failed_again": [], "overtaken": [], "gone": []}


@pytest.mark.parametrize("file", ["/nope/x", "/dev/full", "/"])
def test_an_export_that_cannot_be_written_ends_in_a_line(here: Installation, file: str) -> None:
    here.fails("ingest", b"{")

    result = baton("export", file)

    assert result.exit_code == 2
    assert result.output.startswith(f"baton: cannot write {file}: ")
    assert len(result.output.splitlines()) == 1


def test_what_failed_is_listed_by_stage_reason_and_time(here: Installation) -> None:
    here.fails("ingest", b"{", reason="invalid_json", at="2026-11-02T09:00:00Z")
    here.fails("ingest", b"{}", at="2026-11-02T10:00:00Z")
    here.fails("scoring", b"{}", reason="no_key", at="2026-11-02T11:00:00Z")

    def reasons(*arguments: str) -> list[str]:
        return sorted(one["reason"] for one in told("list", *arguments))

    lines = baton("list").output.splitlines()

    assert reasons() == ["invalid_json", "no_key", "unknown_source"]
    assert reasons("--stage", "ingest") == ["invalid_json", "unknown_source"]
    assert reasons("--reason", "no_key") == ["no_key"]
    assert reasons("--since", "2026-11-02T10:00:00Z") == ["no_key", "unknown_source"]
    assert reasons("--since", "2026-11-02T10:00Z", "--until", "2026-11-02T11:00Z") == ["unknown_source"]
    assert lines[-3:] == [
        "1 × ingest invalid_json, 2026-11-02T09:00:00Z to 2026-11-02T09:00:00Z",
        "1 × ingest unknown_source, 2026-11-02T10:00:00Z to 2026-11-02T10:00:00Z",
        "1 × scoring no_key, 2026-11-02T11:00:00Z to 2026-11-02T11:00:00Z",
    ]
    assert len(lines) == 6, "a record is a line, whatever stands in its detail"


def test_nothing_is_an_answer_too(here: Installation) -> None:
    assert told("list") == []
    assert baton("list").output == "nothing has failed\n"
    assert baton("replay", "--all").output == "nothing to replay\n"


def test_a_record_is_shown_and_given_out_byte_by_byte(here: Installation, tmp_path: Path) -> None:
    value = b"\xff\x00\x1b[31m{\n"
    here.fails("ingest", value, None)
    here.fails("routing", None, b"lead", topic=LEADS_SCORED)
    [binary] = [name for name in here.ids() if name.startswith("ingest")]
    shown = baton("show", binary).output
    baton("export", str(tmp_path / "all.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_bytes().splitlines()]

    assert baton("show", binary, "--value").stdout_bytes == value
    assert "\x1b" not in shown
    assert "header raw: \\xff" in shown
    assert baton("export").stdout_bytes == (tmp_path / "all.jsonl").read_bytes()
    assert {one["stage"]: one.get("value_base64", one.get("value")) for one in lines} == {
        "ingest": "/wAbWzMxbXsK",
        "routing": None,
    }


def test_a_record_is_shown_with_why_it_failed_and_with_all_that_it_came_with(here: Installation) -> None:
    here.fails("ingest", "Zo\u00eb\t{\n\x1b[31m".encode() + b"\xff", b"ada\x00", reason="invalid_json")
    [name] = here.ids()
    above, trace, original = baton("show", name).output.split("\n\n")

    assert {"reason: invalid_json", "detail: source: is not known\\nmend it", "partition: 1", "offset: 1"} <= {
        *above.splitlines()
    }
    assert [line for line in above.splitlines() if line.startswith("header ")] == [
        "header kind: form", "header kind: twice", "header nothing: none", "header raw: \\xff",
    ]  # fmt: skip
    assert trace == "the trace"
    assert original == "key: ada\\x00\nvalue:\nZo\u00eb\t{\n\\x1b[31m\\xff\n"


def test_replayed_records_come_back_as_they_were_and_are_noted(here: Installation) -> None:
    for n in range(4):
        here.fails("ingest", b'{"n":%d}' % n, b"key-%d" % n, partition=n % 3)
    [first, *_] = here.ids()
    result = baton("replay", first)
    rest = baton("replay", "--all")
    back = here.holds(MARKETING_EVENTS)
    listed = {one["id"]: one for one in told("list")}

    assert (result.exit_code, rest.exit_code) == (0, 0)
    assert rest.output.splitlines()[-1] == "3 of 3 replayed"
    assert sorted((one.key(), one.value()) for one in back) == [(b"key-%d" % n, b'{"n":%d}' % n) for n in range(4)]
    for one in back:
        origin = listed[(dict(raw_headers(one))["baton_replay_of"] or b"").decode()]
        assert raw_headers(one)[:-1] == ODD
        assert one.partition() == origin["partition"]
    assert {one["replayed"] for one in listed.values()} == {1}
    assert len({dict(raw_headers(one))["baton_replay_of"] for one in back}) == 4


def test_all_leaves_out_what_was_replayed_and_again_does_not(here: Installation) -> None:
    here.fails("ingest", b"{}")
    baton("replay", "--all")
    second, third = baton("replay", "--all"), baton("replay", "--stage", "ingest", "--again")
    [name] = here.ids()
    fourth = baton("replay", name)

    assert "1 was replayed before" in second.output
    assert [one.exit_code for one in (second, third, fourth)] == [0, 0, 0]
    assert len(here.holds(MARKETING_EVENTS)) == 3
    assert told("list")[0]["replayed"] == 3


def test_a_patch_mends_every_record_or_none_is_sent(here: Installation, tmp_path: Path) -> None:
    patch = tmp_path / "patch.json"
    patch.write_text('[{"op": "replace", "path": "/source", "value": "website"}]')
    here.fails("ingest", b'{"source":"webstie"}')
    here.fails("ingest", b"\xff", reason="invalid_json")
    refused = baton("replay", "--all", "--edit", str(patch))
    sent = here.values(MARKETING_EVENTS)
    mended = baton("replay", "--reason", "unknown_source", "--edit", str(patch))

    assert (refused.exit_code, sent) == (1, [])
    assert "the value is no UTF-8, so it is no JSON" in refused.output
    assert "1 record cannot be replayed so; nothing was sent. Leave it out" in refused.output
    assert (mended.exit_code, here.values(MARKETING_EVENTS)) == (0, [b'{"source":"website"}'])


def test_a_dry_run_sends_nothing_and_notes_nothing(here: Installation) -> None:
    here.fails("ingest", b"{}")
    result = told("replay", "--all", "--dry-run")

    assert result == {"selected": 1, "replayed": 0} | NONE_LEFT_OUT
    assert here.values(MARKETING_EVENTS) == []
    assert told("list")[0]["replayed"] == 0


def test_in_a_compacted_topic_an_old_record_does_not_become_the_last_of_its_key_again(here: Installation) -> None:
    here.sends(LEADS_SCORED, b"old", b"ada", 0)
    here.sends(LEADS_SCORED, b"old", b"bo", 0)
    here.sends(LEADS_SCORED, b"new", b"ada", 0)
    here.fails("routing", b"old", b"ada", topic=LEADS_SCORED, partition=0, offset=0)
    here.fails("routing", b"old", b"bo", topic=LEADS_SCORED, partition=0, offset=1)
    result = told("replay", "--all")
    twice = told("replay", "--all", "--again", "--dry-run")
    own = told("replay", *(name for name in here.ids() if name not in result["overtaken"]), "--dry-run")

    assert (result["selected"], result["replayed"], len(result["overtaken"])) == (1, 1, 1)
    assert [one.key() for one in here.holds(LEADS_SCORED)] == [b"ada", b"bo", b"ada", b"bo"]
    assert twice["selected"] == 2
    assert own == {"selected": 1, "replayed": 0} | NONE_LEFT_OUT, "its own replay overtakes nobody"


@pytest.mark.parametrize("arguments", [(), ("--all", "--stage", "ingest"), ("ingest-0-0", "--all")])
def test_it_must_be_said_once_what_to_replay(arguments: Sequence[str], here: Installation) -> None:
    result = baton("replay", *arguments)

    assert result.exit_code == 2
    assert "say which records" in result.output


def test_what_cannot_go_back_is_told_before_anything_is_sent(here: Installation) -> None:
    here.fails("ingest", b"{}")
    here.fails("ingest", b"{}", topic="a.topic.that.is.gone")
    gone, unknown = baton("replay", "--all"), baton("replay", "ingest-0-999")

    assert (gone.exit_code, unknown.exit_code) == (1, 1)
    assert "there is no topic" in gone.output
    assert "there is no failed record ingest-0-999" in unknown.output
    assert here.values(MARKETING_EVENTS) == []


def test_many_go_back_in_the_order_of_their_keys_and_what_fails_meanwhile_waits(here: Installation) -> None:
    for n in range(1_200):
        whence: list[tuple[str, str | bytes | None]] = [
            ("baton_topic", (here.prefix + MARKETING_EVENTS).encode()),
            ("baton_partition", b"%d" % (n % 7 % 3)),
        ]
        here._producer.produce(f"{here.prefix}ingest.failed", b"%d" % n, b"k%d" % (n % 7), headers=whence)
    here._producer.flush(30)
    plan = replay.plan(here.settings, replay.Request(Selection()))
    here.fails("ingest", b"meanwhile")
    steps: list[int] = []
    done = replay.replay(here.settings, plan, steps.append)
    by_key: dict[bytes | None, list[int]] = defaultdict(list)
    for one in here.holds(MARKETING_EVENTS):
        by_key[one.key()].append(int(one.value() or b""))

    assert (plan.records, done, sum(steps)) == (1_200, 1_200, 1_200)
    assert len(steps) == 3
    assert by_key == {b"k%d" % k: list(range(k, 1_200, 7)) for k in range(7)}


def test_a_replay_that_is_cut_off_goes_on_where_it_was(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "AT_ONCE", 2)
    for n in range(5):
        here.fails("ingest", b"%d" % n)

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    plan = replay.plan(here.settings, replay.Request(Selection()))
    with pytest.raises(KeyboardInterrupt):
        replay.replay(here.settings, plan, interrupted)
    after = here.values(MARKETING_EVENTS)
    rest = told("replay", "--all")

    assert len(after) == 2
    assert (rest["selected"], rest["replayed"], rest["left_out"]) == (3, 3, 2)
    assert here.values(MARKETING_EVENTS) == [b"%d" % n for n in range(5)]


def test_of_two_replays_at_once_the_later_one_goes_on(here: Installation) -> None:
    address, name, topic = kafka_address(here.settings), f"{here.prefix}baton-replay", here.prefix + MARKETING_EVENTS
    with Outbound(address, name) as first:
        first.send([Output(topic, b"k", b"first")])
        with Outbound(address, name) as second:
            with pytest.raises(Refusal, match="another replay has begun"):
                first.send([Output(topic, b"k", b"too late")])
            second.send([Output(topic, b"k", b"second")])

    assert here.values(MARKETING_EVENTS) == [b"first", b"second"]


def test_what_its_topic_does_not_take_leaves_nothing_half_done(here: Installation, real_kafka: str) -> None:
    small = f"{here.prefix}small"
    apply(real_kafka, [TopicSpec(small, 1, {"max.message.bytes": "1000"})])
    here.fails("ingest", b"fits", topic="small", partition=0)
    here.fails("ingest", b"x" * 5_000, topic="small", partition=0)
    result = baton("replay", "--all")

    assert result.exit_code == 1
    assert "larger than its topic takes" in result.output
    assert here.values("small") == []
    assert [replays.known(here.settings).of(one) for one in failed.records(here.settings)] == [None, None]


def test_on_a_terminal_many_are_replayed_only_when_somebody_says_yes(here: Installation) -> None:
    for n in range(21):
        here.fails("ingest", b"%02d" % n)
    no, asked = on_a_terminal("replay", "--all", answer=b"n\n")
    untouched = here.values(MARKETING_EVENTS)
    yes, shown = on_a_terminal("replay", "--all", answer=b"y\n")
    listed, table = on_a_terminal("list", "--limit", "5", answer=b"")

    assert (no, untouched) == (1, [])
    assert "Replay 21 records?" in asked
    assert (yes, len(here.values(MARKETING_EVENTS))) == (0, 21)
    assert "21/21" in shown
    assert (listed, table.count("unknown_source")) == (0, 6)
    assert "the latest 5 of 21" in table
    assert "21 replayed" in table
