from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.cli.answers import plain
from baton.cli.failures import readable
from baton.failed import FailedRecord, Selection, failed_record, moment, place
from baton.failures import Summary
from baton.patch import Patch
from baton.refusal import Refusal
from baton.replay import replayed
from baton.replays import Replayed, Replays
from streaming.memory_log import MemoryRecord
from streaming.run import failed_record as as_it_fails
from streaming.stage import Failure

FAILED_AT = "2026-11-02T09:00:00.000000Z"
AT = 1_793_610_000.0  # the same, in seconds since the epoch


def record(
    value: bytes | None = b"{}", key: bytes | None = b"k", headers: Any = (), partition: int = 3, offset: int = 41
) -> FailedRecord:
    """As a stage's engine writes it to its failed topic, where it stands at 2-7."""
    source = MemoryRecord("t.marketing.events", partition, offset, key, value, headers, 5)
    made = as_it_fails("t.ingest.failed", Failure(source, "invalid_json", "line 1: is none"), FAILED_AT)
    stored = MemoryRecord(made.topic, 2, 7, made.key, made.value, tuple(made.headers), 6)
    return failed_record(stored, "ingest")  # type: ignore[arg-type]


def test_a_failed_record_says_what_failed_why_and_when() -> None:
    found = record(headers=[("kind", b"form")])

    assert (found.id, found.stage, found.reason, found.detail) == (
        "ingest-2-7",
        "ingest",
        "invalid_json",
        "line 1: is none",
    )
    assert (found.topic, found.partition, found.offset) == ("t.marketing.events", 3, 41)
    assert (found.failed_at, found.at) == (FAILED_AT, AT)
    assert datetime.fromtimestamp(AT, UTC).isoformat() == "2026-11-02T09:00:00+00:00"
    assert found.headers == (("kind", b"form"),)


def test_a_stranger_in_a_failed_topic_is_shown_for_what_it_is() -> None:
    stored = MemoryRecord("ingest.failed", 0, 0, None, None, [("baton_offset", "٣".encode()), ("x", b"\xff")], 1_500)
    found = failed_record(stored, "ingest")  # type: ignore[arg-type]

    assert (found.topic, found.partition, found.offset, found.failed_at, found.at) == ("", -1, -1, "", 1.5)
    assert found.headers == (("x", b"\xff"),)


def test_a_replay_is_the_record_as_it_came_with_a_header_that_says_whose_replay_it_is() -> None:
    headers = [
        ("kind", b"form"),
        ("kind", b"twice"),
        ("nothing", None),
        ("raw", b"\xff"),
        ("baton_received_at", b"then"),
    ]
    output = replayed(record(b"\xff\x00", headers=headers))

    assert (output.topic, output.partition, output.key, output.value) == ("t.marketing.events", 3, b"k", b"\xff\x00")
    assert list(output.headers) == [*headers, ("baton_replay_of", b"ingest-2-7")]


def test_a_replay_of_a_replay_names_the_later_failure_alone() -> None:
    output = replayed(record(headers=[("baton_replay_of", b"ingest-0-0")]))

    assert list(output.headers) == [("baton_replay_of", b"ingest-2-7")]


@pytest.mark.parametrize(("partition", "partitions", "chosen"), [(3, 4, 3), (3, 3, None), (-1, 4, None), (0, None, 0)])
def test_a_replay_goes_to_the_partition_that_it_came_from_where_that_is_there(
    partition: int, partitions: int | None, chosen: int | None
) -> None:
    assert replayed(record(partition=partition), partitions=partitions).partition == chosen


def test_a_replay_may_be_edited() -> None:
    output = replayed(record(b'{"source": "x"}'), Patch([{"op": "replace", "path": "/source", "value": "website"}]))

    assert output.value == b'{"source":"website"}'


raw = st.none() | st.binary(max_size=30) | st.text(max_size=20).map(str.encode)


@given(raw, raw, st.lists(st.tuples(st.text(max_size=8), raw), max_size=4))
def test_what_is_exported_can_be_read_back_byte_by_byte(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    headers = [(f"x{name}", said) for name, said in headers]
    document = orjson.loads(orjson.dumps(record(value, key, headers).document()))

    def bytes_of(holder: dict[str, Any], name: str, encoded: str) -> bytes | None:
        if encoded in holder:
            return base64.b64decode(holder[encoded])
        return None if holder[name] is None else holder[name].encode()

    assert bytes_of(document, "key", "key_base64") == key
    assert bytes_of(document, "value", "value_base64") == value
    assert [(one["name"], bytes_of(one, "value", "base64")) for one in document["headers"]] == headers


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), True),
        (Selection(stage="ingest", reason="invalid_json"), True),
        (Selection(stage="scoring"), False),
        (Selection(reason="no_key"), False),
        (Selection(since=AT, until=AT + 1), True),
        (Selection(since=AT + 0.001), False),
        (Selection(until=AT), False),
        (Selection(ids=frozenset({"ingest-2-7", "x"})), True),
        (Selection(ids=frozenset({"ingest-2-8"})), False),
    ],
)
def test_a_selection_means_what_fits_all_of_it(selection: Selection, meant: bool) -> None:
    assert selection.holds(record()) is meant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", AT - 7200),
        ("2026-11-02T09:00:00Z", AT),
        ("2026-11-02T10:00:00+01:00", AT),
        ("2026-11-02T09:00", AT),
        ("2026-11-02", AT - 9 * 3600),
    ],
)
def test_a_time_is_so_long_ago_or_a_date(text: str, at: float) -> None:
    assert moment(text, AT) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "5", "-2h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="is no time"):
        moment(text, AT)


NO_IDS = ["", "ingest", "ingest-1", "ingest-1-", "ingest-1-x", "sales-1-1", "ingest-1-1-1", "ingest--1-1"]


@pytest.mark.parametrize("name", [*NO_IDS, "ingest-١-1"])
def test_what_is_no_id_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="is no id"):
        place(name)


def test_what_was_replayed_is_counted_and_dated() -> None:
    known = Replays()
    before = known.of(record())
    known.marker(record(), AT + 10)
    key, note = known.marker(record(), AT + 20)

    assert before is None
    assert known.of(record()) == Replayed(2, AT + 20)
    assert (key, orjson.loads(note)) == (b"ingest-2-7", {"times": 2, "at": AT + 20})


def test_a_note_older_than_the_failure_is_of_another_record() -> None:
    """A failed topic that was deleted and made anew gives the same ids again."""
    known = Replays({b"ingest-2-7": Replayed(4, AT - 1)})

    assert known.of(record()) is None

    known.marker(record(), AT - 0.5)  # this machine's clock is behind the worker's

    assert known.of(record()) == Replayed(1, AT)


def test_a_summary_counts_by_stage_and_reason_and_keeps_the_latest() -> None:
    known = Replays()
    known.marker(record(), AT)
    summary = Summary(known, limit=2)
    for n in range(5):
        summary.take(_at(AT + (n * 7) % 5, f"ingest-0-{n}"))
    summary.take(record())
    [count] = summary.counts()

    assert (summary.records, count.records, count.replayed) == (6, 6, 1)
    assert (count.first, count.last) == ("2026-11-02T09:00:00Z", "2026-11-02T09:00:04Z")
    assert [one.id for one in summary.latest()] == ["ingest-0-4", "ingest-0-2"]


def _at(at: float, name: str) -> FailedRecord:
    from dataclasses import replace

    return replace(record(), at=at, id=name)


def test_what_is_shown_moves_no_cursor() -> None:
    assert plain("a\x1b[31m\r\nb\t") == "a\\x1b[31m\\r\\nb\\t"
    assert plain("a\nb\x07", keep="\n") == "a\nb\\x07"
    assert readable(b"Zo\xc3\xab \xff") == "Zoë \\xff"
    assert readable(None) == "none"


def test_a_list_keeps_rows_and_no_values() -> None:
    summary = Summary(Replays(), 0)
    summary.take(record(value=b"x" * 1_000_000, key=b"k" * 1_000, headers=[("kind", b"y" * 1_000)]))
    (kept,) = summary.latest()

    assert (kept.key, kept.value, kept.headers, kept.trace) == (None, None, (), "")
    assert kept.row() == record().row()
