"""Whether there is room in the outbox: how often that is looked at, and what is said where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from services.routing.ledger.backpressure import LOOK_SECONDS, Room
from services.routing.ledger.outbox import Backlog
from streaming.stage import TransientError


@dataclass
class Outbox:
    """So many records wait; time stands still until a test moves it."""

    records: int = 0
    looks: int = 0
    now: float = 0.0

    def look(self) -> Backlog:
        self.looks += 1
        return Backlog(self.records, 312.4)

    def room(self) -> Room:
        return Room(100, self.look, lambda: self.now)


def test_as_many_as_may_wait_leave_room() -> None:
    Outbox(100).room().demand()


def test_where_more_wait_the_words_say_how_many_for_how_long_why_and_where_to_look() -> None:
    with pytest.raises(TransientError) as told:
        Outbox(101).room().demand()

    words = ("101 records", "312 s", "100 (BATON_OUTBOX_MOST)", "No lead is fetched", "routing.relay in /readyz")
    assert [word for word in words if word not in str(told.value)] == []


def test_a_look_that_found_room_is_good_for_a_second() -> None:
    outbox = Outbox()
    room = outbox.room()
    for _ in range(100):
        room.demand()
    outbox.records, outbox.now = 101, LOOK_SECONDS - 0.01
    room.demand()
    outbox.now = LOOK_SECONDS

    with pytest.raises(TransientError):
        room.demand()
    assert outbox.looks == 2


def test_one_that_found_none_is_good_for_nothing_so_the_stage_goes_on_as_soon_as_it_may() -> None:
    outbox = Outbox(101)
    room = outbox.room()
    for _ in range(2):
        with pytest.raises(TransientError):
            room.demand()
    outbox.records = 100
    room.demand()

    assert outbox.looks == 3
