import threading
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

from baton.demo.journeys import DAY, journey
from baton.demo.memory import take_turn
from baton.demo.people import person
from baton.demo.schedule import EAGER, schedule
from baton.demo.traffic import Traffic
from schemas import MarketingEvent


def test_the_same_seed_tells_the_same_story() -> None:
    assert list(schedule(7, 1, 20, 50)) == list(schedule(7, 1, 20, 50))
    assert list(schedule(7, 1, 20, 50)) != list(schedule(8, 1, 20, 50))


def test_a_person_is_the_same_whenever_they_come() -> None:
    assert person(7, 40) == next(due.person for due in schedule(7, 40, 5, 1))


def test_no_id_comes_twice_in_a_world() -> None:
    ids = Counter(due.step.event_id for due in schedule(7, 1, 20, 500))
    people = {due.person.email for due in schedule(7, 1, 20, 500)}

    assert max(ids.values()) == 1
    assert len(people) == 500


def test_a_next_start_brings_other_people(tmp_path: Path) -> None:
    first, second = take_turn(tmp_path, 100), take_turn(tmp_path, 100)

    assert (first.first, second.first) == (1, 101)
    assert first.seed == second.seed


def test_steps_come_in_order_of_time_and_keep_to_the_rate() -> None:
    steps = list(schedule(7, 1, 20, 2_000))
    times = [due.at for due in steps]

    assert all(a <= b for a, b in pairwise(times))
    assert 17 < len(steps) / times[-1] < 23


def test_somebody_asks_for_a_demo_within_the_first_second() -> None:
    asked = [due for due in schedule(7, 1, 20, 100) if due.step.body.get("type") == "demo_requested"]

    assert sum(due.at < 1.0 for due in asked) >= EAGER - 1


def test_mail_goes_to_nobody_real_but_at_free_providers() -> None:
    domains = {person(7, number).email.rpartition("@")[2] for number in range(300)}

    assert {name for name in domains if not name.endswith(".example")} <= {"gmail.com", "outlook.com", "gmx.de"}


def test_what_happened_before_the_journey_is_dated_back() -> None:
    agos = {step.ago for number in range(200) for step in journey(7, number).steps}

    assert any(ago > DAY for ago in agos)
    assert min(agos) == 0.0


class FakeCollector:
    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.events: list[Any] = []
        self.forms: list[dict[str, list[str]]] = []
        self.leads: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away -= 1
            raise httpx.ConnectError("refused")
        if request.url.path == "/v1/events":
            self.events += orjson.loads(request.content)
        elif request.url.path == "/v1/forms/website":
            self.forms.append(parse_qs(request.content.decode()))
        elif request.url.path == "/v1/webhooks/google-ads":
            self.leads.append(orjson.loads(request.content))
        else:
            return httpx.Response(404)
        return httpx.Response(202, json={})


class Racing(threading.Event):
    """A stop signal that never comes and waits for nothing; the clock moves by what was waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout
        return False


def play(collector: FakeCollector, people: int) -> Traffic:
    stopping = Racing()
    client = httpx.Client(transport=httpx.MockTransport(collector), base_url="http://collector")
    now = lambda: datetime(2026, 11, 2, 9, tzinfo=UTC)  # noqa: E731
    traffic = Traffic(client, "key", stopping, clock=lambda: stopping.now, now=now)
    traffic.run(schedule(7, 1, 20, people))
    return traffic


def test_every_step_goes_through_its_door_once() -> None:
    collector = FakeCollector()
    doors = Counter(due.step.door for due in schedule(7, 1, 20, 60))

    traffic = play(collector, 60)

    assert (len(collector.events), len(collector.forms), len(collector.leads)) == (
        doors["events"],
        doors["form"],
        doors["google"],
    )
    assert (traffic.sent, traffic.refused) == (doors.total(), 0)
    assert {lead["google_key"] for lead in collector.leads} == {"key"}


def test_events_of_the_world_are_good_events() -> None:
    collector = FakeCollector()
    play(collector, 60)

    for event in collector.events:
        MarketingEvent.model_validate_json(orjson.dumps(event))


def test_a_collector_that_was_away_gets_what_was_due_meanwhile() -> None:
    collector = FakeCollector(away=3)

    traffic = play(collector, 5)

    assert traffic.sent == len(list(schedule(7, 1, 20, 5)))


def test_traffic_ends_when_it_is_told_to() -> None:
    stopping = threading.Event()
    stopping.set()
    client = httpx.Client(transport=httpx.MockTransport(FakeCollector()), base_url="http://collector")
    traffic = Traffic(client, "key", stopping, clock=lambda: 0.0)
    traffic.run(schedule(7, 1, 20, 1_000_000))

    assert traffic.sent == 0
