"""Which record of a key counts as a newer one than a record that failed."""

from __future__ import annotations

from typing import Any

import pytest

from baton.overtaken import _Suspect
from schemas.headers import REPLAY_OF

OLD, NEW, OLD_AGAIN = "routing-0-10", "routing-0-20", "routing-0-30"


class Record:
    """One of the source, at `offset`; `replay_of`: the failed record that it is a replay of."""

    def __init__(self, offset: int, replay_of: str = "") -> None:
        self._offset, self._replay_of = offset, replay_of

    def offset(self) -> int:
        return self._offset

    def headers(self) -> Any:
        return [(REPLAY_OF, self._replay_of.encode())] if self._replay_of else []

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


@pytest.mark.parametrize(
    ("failed", "origin", "offset", "record", "overtaken"),
    [
        (OLD, OLD, 5, Record(6), True),
        (OLD, OLD, 5, Record(4), False),
        (OLD, OLD, 5, Record(8, NEW), True),  # what came later was replayed first
        (OLD, OLD, 5, Record(8, OLD), False),  # its own replay
        (NEW, NEW, 6, Record(8, OLD), False),  # the replay of an older one
        (OLD_AGAIN, OLD, 7, Record(8, NEW), True),  # failed last, and is older all the same
        (OLD_AGAIN, OLD, 7, Record(8, OLD_AGAIN), False),
        (OLD, OLD, 5, Record(8, "a stranger's word"), True),
    ],
)
def test_a_newer_record_overtakes_one_that_failed(
    failed: str, origin: str, offset: int, record: Any, *, overtaken: bool
) -> None:
    assert _Suspect(failed, origin, offset, 0.0).is_behind(record) is overtaken
