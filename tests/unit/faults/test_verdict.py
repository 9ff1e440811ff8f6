"""The judge of a run finds what was lost, doubled, late or wrong; a blind one would pass every run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import msgspec
import psycopg
import pytest

from tests.faults import changelogs, verdict
from tests.faults.changelogs import Changelog, Known
from tests.faults.closed_form import (
    KEYS,
    NOTHING,
    REASONS,
    Sum,
    deletes,
    end_of,
    fault_of,
    good_events,
    key_of,
    value_of,
)
from tests.faults.verdict import Verdict, judge_lanes, judge_sums

EVENTS = 6_100
OUT, FAILED, STATE = "out", "sums.failed", "sums.state"


@dataclass(frozen=True)
class Said:
    """A record, as the judge reads it."""

    its_key: bytes
    its_value: bytes | None
    number: int = 0
    reason: str = ""

    def key(self) -> bytes:
        return self.its_key

    def value(self) -> bytes | None:
        return self.its_value

    def offset(self) -> int:
        return self.number

    def partition(self) -> int:
        return 0

    def headers(self) -> list[tuple[str, bytes]]:
        return [("baton_reason", self.reason.encode())]


Topics = dict[str, list[Said]]


def sound() -> Topics:
    """What a stage leaves behind that did all as it should."""
    state: dict[int, Sum] = {}
    topics: Topics = {OUT: [], FAILED: [], STATE: []}
    for event in range(EVENTS):
        if fault := fault_of(event):
            topics[FAILED].append(Said(key_of(event), value_of(event), reason=REASONS[fault]))
            continue
        key = event % KEYS
        state[key] = state.get(key, NOTHING).after(event)
        topics[OUT].append(Said(key_of(event), b"%d %d %d" % (*state[key], event)))
    topics[STATE] = [
        Said(key_of(key), None if held == NOTHING else json.dumps(held).encode(), key) for key, held in state.items()
    ]
    topics[STATE].append(Said(changelogs.MARK, b"origin 6100", len(state)))
    return topics


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Topics], Verdict]:
    def judge(topics: Topics) -> Verdict:
        def read(_: str, topic: str, __: float = 0) -> Iterator[Said]:
            return iter(topics[topic.removeprefix("kept.")])

        monkeypatch.setattr(verdict, "committed_records", read)
        return judge_sums("nowhere", "kept.", EVENTS, None)

    return judge


def counts(found: Verdict) -> tuple[int, int, int]:
    return found.lost, found.doubled, found.duplicates


def at(topic: list[Said], event: int) -> int:
    """Where the record of an event stands."""
    return next(n for n, said in enumerate(topic) if (said.value() or b"").split()[-1].lstrip(b"!?+") == b"%d" % event)


def test_what_is_as_it_should_be_is_found_to_be_so(judged: Callable[[Topics], Verdict]) -> None:
    found = judged(sound())

    assert found.violations == []
    assert counts(found) == (0, 0, 0)
    assert any("schema_violation" in note for note in found.notes)


@pytest.mark.parametrize("event", [0, 3_000, EVENTS - 1])
def test_an_output_that_is_missing_is_lost(judged: Callable[[Topics], Verdict], event: int) -> None:
    topics = sound()
    del topics[OUT][at(topics[OUT], event)]

    found = judged(topics)

    assert counts(found) == (1, 0, 0)
    assert str(event) in found.violations[0]


def test_an_output_that_comes_twice_is_a_duplicate(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    topics[OUT].append(topics[OUT][at(topics[OUT], 3_000)])

    assert counts(judged(topics)) == (0, 0, 1)


def test_outputs_of_a_key_in_the_wrong_order_are_found(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    one, other = (at(topics[OUT], event) for event in (3_000, 3_000 + KEYS))
    topics[OUT][one], topics[OUT][other] = topics[OUT][other], topics[OUT][one]

    assert judged(topics).violations


def test_an_output_that_tells_of_an_event_counted_twice_is_found(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    place = at(topics[OUT], 3_000)
    count, checksum, event = (int(word) for word in (topics[OUT][place].value() or b"").split())
    topics[OUT][place] = replace(topics[OUT][place], its_value=b"%d %d %d" % (count + 1, checksum, event))

    assert counts(judged(topics)) == (0, 1, 0)


def test_an_output_with_the_key_of_another_is_found(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    place = at(topics[OUT], 3_000)
    topics[OUT][place] = replace(topics[OUT][place], its_key=b"k1")

    [violation] = judged(topics).violations
    assert "has the key b'k1'" in violation


def test_a_state_with_an_event_too_many_or_too_few_is_found(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    held = Sum(*json.loads(topics[STATE][5].value() or b""))
    more, fewer = held.after(1), Sum(held.count - 1, held.checksum)

    topics[STATE][5] = replace(topics[STATE][5], its_value=json.dumps(more).encode())
    assert counts(judged(topics)) == (0, 1, 0)
    topics[STATE][5] = replace(topics[STATE][5], its_value=json.dumps(fewer).encode())
    assert counts(judged(topics)) == (1, 0, 0)
    topics[STATE][5] = replace(topics[STATE][5], its_value=None)
    assert judged(topics).lost == held.count


def test_a_key_that_was_deleted_begins_anew_and_one_that_was_not_is_found(
    judged: Callable[[Topics], Verdict],
) -> None:
    gone = [key for key in range(KEYS) if end_of(key, EVENTS, too_large=True) == NOTHING]
    again = next(event for event in range(2_000, EVENTS // 2) if deletes(event)) % KEYS
    topics = sound()
    place = next(n for n, said in enumerate(topics[STATE]) if said.key() == key_of(gone[0]))
    topics[STATE][place] = replace(topics[STATE][place], its_value=b"[3, 4]")

    assert 0 < len(gone) < KEYS // 20
    assert end_of(again, EVENTS, too_large=True).count < sum(1 for _ in good_events(again, EVENTS, too_large=True)) - 1
    assert counts(judged(topics)) == (0, 3, 0)


def test_failures_that_are_missing_doubled_or_of_another_reason_are_found(
    judged: Callable[[Topics], Verdict],
) -> None:
    topics = sound()
    first, *others = topics[FAILED]

    assert counts(judged({**topics, FAILED: others})) == (1, 0, 0)
    assert counts(judged({**topics, FAILED: [first, first, *others]})) == (0, 0, 1)
    [violation] = judged({**topics, FAILED: [replace(first, reason="too_large"), *others]}).violations
    assert "failed with too_large" in violation


def test_a_changelog_that_nobody_compacted_is_found(judged: Callable[[Topics], Verdict]) -> None:
    topics = sound()
    marks = range(KEYS + 1, KEYS + 10 + changelogs.COMPACTS_FROM)
    mark = topics[STATE][-1]
    few = [replace(mark, number=marks[-1])]
    many = [replace(mark, number=number) for number in marks]

    assert judged({**topics, STATE: topics[STATE] + few}).violations == []
    [violation] = judged({**topics, STATE: topics[STATE] + many}).violations
    assert "was not compacted" in violation


def test_profiles_are_read_with_eyes_of_their_own_and_what_was_deleted_is_gone() -> None:
    layers = [[1, "e1", {"email": "a@firm1.com"}], [2, "e2", {"job_title": "head"}]]
    profile = msgspec.msgpack.encode(
        [1, 0, "mql", 0, layers, None, None, {}, [], [], -1, bytes(39), {"pricing": bytes(16)}]
    )
    whole = Changelog.of([Said(b"one", profile), Said(b"two", profile), Said(b"two", None, 2)])  # type: ignore[list-item]

    assert changelogs.known(whole) == {"a@firm1.com": Known(3, 2, "mql")}


class Ledger:
    """Answers as psycopg does of a ledger whose lanes 0 and 1 have 7 and 9 as next numbers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, statement: str) -> Self:
        self.rows: list[tuple[object, ...]] = [("mine",)] if "identity" in statement else [(0, 7), (1, 9)]
        return self

    def fetchall(self) -> list[tuple[object, ...]]:
        return self.rows


@pytest.mark.parametrize(
    ("said", "lost_lanes", "lines"),
    [
        ({"ledger": "mine", "next": {"0": 7, "1": 9}}, 0, 0),
        ({"ledger": "mine", "next": {"0": 7, "1": 8}}, 1, 1),
        ({"ledger": "mine", "next": {"0": 7}}, 1, 1),
        ({"ledger": "mine", "next": {"0": 7, "1": 10}}, 0, 1),
        ({"ledger": "mine", "next": {"0": 7, "1": 9, "2": 1}}, 0, 1),
        ({"ledger": "another", "next": {"0": 7, "1": 9}}, 0, 1),
        (None, 2, 3),
    ],
)
def test_routings_changelog_must_say_of_each_lane_what_the_ledger_says(
    said: object, lost_lanes: int, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [] if said is None else [Said(b"lanes", b"{}"), Said(b"lanes", json.dumps(said).encode(), 1)]
    monkeypatch.setattr(verdict, "committed_records", lambda *_: iter(records))
    monkeypatch.setattr(psycopg, "connect", lambda _: Ledger())
    found = Verdict()
    judge_lanes(found, "nowhere", "routing.state", "nowhere")

    assert (found.lost, len(found.violations)) == (lost_lanes, lines)
