"""Of a record that failed, was replayed and failed again, only the latest failure goes back."""

from __future__ import annotations

from collections.abc import Callable

from baton.chains import failed_again
from baton.failed import FailedRecord
from baton.replays import Replays


def record(name: str, replay_of: str = "", at: float = 0, key: bytes = b"k") -> FailedRecord:
    topic = "marketing.events"
    return FailedRecord(name, "ingest", "reason", "", topic, 0, 0, "", at, "", key, b"{}", (), replay_of)


def earlier(
    *found: FailedRecord, replayed: str = "", wanted: Callable[[FailedRecord], bool] = lambda _: True
) -> set[str]:
    known = Replays()
    for one in found:
        if one.id in replayed.split():
            known.marker(one, 100)
    return failed_again(found, wanted, known)


def test_of_a_chain_all_but_the_last_are_left_out() -> None:
    chain = (record("a"), record("b", "a", 1), record("c", "b", 2), record("other"))

    assert earlier(*chain, replayed="a b") == {"a", "b"}
    assert earlier(*reversed(chain), replayed="a b") == {"a", "b"}


def test_of_two_replays_of_one_record_the_later_failure_stays() -> None:
    assert earlier(record("a"), record("b", "a", 2), record("c", "a", 1), replayed="a") == {"a", "c"}


def test_what_is_not_wanted_itself_takes_nobodys_place() -> None:
    chain = (record("a"), record("b", "a", 1), record("c", "b", 2))

    assert earlier(*chain, replayed="a b", wanted=lambda one: one.id != "c") == {"a"}
    assert earlier(*chain, replayed="a b", wanted=lambda one: one.id != "b") == {"a"}


def test_another_record_that_has_the_id_now_is_not_left_out() -> None:
    assert earlier(record("a"), record("b", "a", 1)) == set(), "it was never replayed"
    assert earlier(record("a"), record("b", "a", 1, key=b"another"), replayed="a") == set()


def test_a_ring_that_strangers_made_does_not_hang_and_none_of_it_is_left_out() -> None:
    assert earlier(record("a", "b"), record("b", "a"), record("c", "c")) == set(), "none of them is the first"
