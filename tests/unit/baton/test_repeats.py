from __future__ import annotations

import logging

import pytest

from baton import logs, repeats
from baton.repeats import Repeats


def said(words: str, at: float, library: str = "aiokafka.client", *args: object) -> logging.LogRecord:
    record = logging.LogRecord(library, logging.ERROR, "client.py", 1, words, args, None)
    record.created = at
    return record


def passed(kept: Repeats, *records: logging.LogRecord) -> list[str]:
    return [record.getMessage() for record in records if kept.filter(record)]


def test_the_same_words_of_a_library_pass_once_in_half_a_minute_with_how_often_they_were_said() -> None:
    kept = Repeats(("aiokafka",))
    tries = [said("cannot connect to node %s", 1_000.0 + n / 10, "aiokafka.client", 1) for n in range(601)]

    assert passed(kept, *tries) == [
        "cannot connect to node 1",
        "cannot connect to node 1 (and 299 times since it was said last)",
        "cannot connect to node 1 (and 299 times since it was said last)",
    ]


def test_other_words_other_libraries_and_our_own_pass() -> None:
    kept = Repeats(("aiokafka",))
    records = [
        said("a", 1_000.0), said("b", 1_000.0), said("a", 1_000.0, "aiokafka.fetcher"),
        said("a", 1_000.0, "baton"), said("a", 1_000.0, "baton"), said("a", 1_000.0, "aiokafkaesque"),
    ]  # fmt: skip

    assert passed(kept, *records) == ["a", "b", "a", "a", "a", "a"]


def test_what_is_remembered_is_bounded_and_what_was_said_longest_ago_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeats, "MOST", 2)
    kept = Repeats(("aiokafka",))

    assert passed(kept, *(said(words, 1_000.0) for words in "abcca")) == ["a", "b", "c", "a"]


def test_a_workers_log_has_them_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("scoring")
    for _ in range(3):
        logging.getLogger("aiokafka").error("no connection")
        logging.getLogger("baton").error("stopped")

    text = capsys.readouterr().err
    assert (text.count("no connection"), text.count("stopped")) == (1, 3)
