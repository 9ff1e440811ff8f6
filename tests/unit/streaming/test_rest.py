from dataclasses import dataclass, field

from streaming.faust.rest import GLANCE_SECONDS, QUIET_SECONDS, Rest

SECONDS = 0.25


@dataclass
class Fetched:
    """An assignment of two running partitions that notes what it is told."""

    told: list[str] = field(default_factory=list)

    def fetch(self) -> None:
        self.told.append("fetch")

    def hold(self) -> None:
        self.told.append("hold")

    def running(self) -> int:
        return 2


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_engine_rests_once_nothing_came_for_a_while_and_looks_again_after_each_rest() -> None:
    clock, fetched = Clock(), Fetched()
    rest = Rest(SECONDS, clock)
    rest.look(fetched)
    assert fetched.told == []

    clock.now += QUIET_SECONDS
    rest.look(fetched)
    assert fetched.told == ["hold"]

    clock.now += SECONDS
    rest.look(fetched)
    assert fetched.told == ["hold", "fetch"]


def test_it_looks_until_it_has_seen_the_end_of_every_partition() -> None:
    clock, fetched = Clock(), Fetched()
    rest = Rest(SECONDS, clock)
    rest.at_end(1)
    for seconds in (QUIET_SECONDS, SECONDS):
        clock.now += seconds
        rest.look(fetched)

    rest.at_end(0)
    rest.look(fetched)
    assert fetched.told == ["hold", "fetch"]  # that of partition 1 was before the rest

    rest.at_end(1)
    rest.look(fetched)
    assert fetched.told == ["hold", "fetch", "hold"]


def test_where_no_end_shows_it_rests_again_after_a_while() -> None:
    clock, fetched = Clock(), Fetched()
    rest = Rest(SECONDS, clock)
    for seconds in (QUIET_SECONDS, SECONDS, GLANCE_SECONDS):
        clock.now += seconds
        rest.look(fetched)

    assert fetched.told == ["hold", "fetch", "hold"]


def test_records_put_the_next_rest_off() -> None:
    clock, fetched = Clock(), Fetched()
    rest = Rest(SECONDS, clock)
    for seconds in (QUIET_SECONDS, SECONDS):
        clock.now += seconds
        rest.look(fetched)
    rest.wake()
    rest.at_end(0)
    rest.at_end(1)
    rest.look(fetched)
    assert fetched.told == ["hold", "fetch"]

    clock.now += QUIET_SECONDS
    rest.look(fetched)
    assert fetched.told == ["hold", "fetch", "hold"]


def test_nobody_waits_past_the_time_of_the_next_step() -> None:
    clock = Clock()
    rest = Rest(SECONDS, clock)
    clock.now += QUIET_SECONDS - 0.125

    assert rest.patience(0.05) == 0.05
    assert rest.patience(0.2) == 0.125
    clock.now += 1
    assert rest.patience(0.2) == 0.0


def test_without_rests_an_engine_always_fetches() -> None:
    clock, fetched = Clock(), Fetched()
    rest = Rest(0.0, clock)
    clock.now += 1_000
    rest.look(fetched)

    assert fetched.told == []
    assert rest.patience(0.2) == 0.2
