import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from bench.path import plan
from bench.path.growth import SIZES, Cost
from bench.path.quantiles import quantiles
from bench.path.reader import Seen, clocks
from bench.path.schedule import arrivals
from bench.path.sender import routed_of
from bench.path.trace import LEGS, ways
from bench.path.wire import NO_ANSWER, Wires
from bench.path.world import ACTIVE, bodies, event
from bench.world import STEPS
from schemas import MarketingEvent


def test_quantiles_are_values_that_were_measured() -> None:
    found = quantiles(float(n) for n in range(200, 0, -1))

    assert (200, 100.0, 190.0, 198.0, 200.0) == (found.count, found.p50, found.p95, found.p99, found.most)
    assert quantiles([7.0]).p99 == quantiles([7.0]).p50 == 7.0
    assert quantiles([]).count == 0


def test_of_few_values_the_99th_percentile_is_the_greatest() -> None:
    assert quantiles(range(1, 51)).p99 == 50


def test_requests_come_by_chance_at_the_rate_that_is_asked_for() -> None:
    due = arrivals(500, 60, seed=1)
    gaps = [after - before for before, after in pairwise(due)]

    assert due == sorted(due)
    assert due == arrivals(500, 60, seed=1) != arrivals(500, 60, seed=2)
    assert 60 > due[-1] > 59
    assert pytest.approx(500, rel=0.03) == len(due) / 60
    assert pytest.approx(1 / 500, rel=0.05) == (sum((gap - 1 / 500) ** 2 for gap in gaps) / len(gaps)) ** 0.5


async def test_requests_go_out_over_connections_that_are_free_and_all_are_told_their_answer() -> None:
    heads: list[bytes] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                heads.append(head)
                if b"break" in await reader.readexactly(int(head.rsplit(b"content-length: ", 1)[1])):
                    break
                writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wires = Wires(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/events")

    async def posted(*bodies: bytes) -> list[int]:
        answers = [asyncio.get_running_loop().create_future() for _ in bodies]
        for body, answer in zip(bodies, answers, strict=True):
            wires.post(body, answer.set_result)
        return await asyncio.wait_for(asyncio.gather(*answers), 10)

    async with server:
        assert [202, 202] == await posted(b"{}", b"{}")
        assert [202] == await posted(b"{}")
        assert 2 == connections
        assert [NO_ANSWER] == await posted(b"break")
        assert [202, 202] == await posted(b"{}", b"{}")
        assert 3 == connections
        wires.close()
    assert all(head.startswith(b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:") for head in heads)


def test_what_senders_post_are_marketing_events_of_the_moment() -> None:
    at = "2026-09-07T06:00:00.123456+00:00"
    read = [MarketingEvent.model_validate_json(event(body, at)) for body in bodies("p", 100, 50)]

    assert [f"p-{n}" for n in range(100, 150)] == [one.event_id for one in read]
    assert {123_456} == {one.occurred_at.microsecond for one in read}
    assert all(one.subject.email for one in read)


def test_the_senders_world_goes_on_where_it_was_left() -> None:
    count = STEPS * ACTIVE
    whole = list(bodies("p", 0, count))

    assert whole[-5:] == list(bodies("p", count - 5, 5))


def test_routings_records_are_counted_whatever_became_of_them() -> None:
    metrics = """# TYPE baton_records_total counter
baton_records_total{outcome="not_qualified",stage="routing"} 12.0
baton_records_total{outcome="processed",stage="routing"} 3.0
baton_records_total{outcome="processed",stage="outcomes"} 5.0
"""
    assert routed_of(metrics) == 15


def test_clocks_that_a_record_lacks_are_none() -> None:
    headers = [("baton_received_at", b"1970-01-01T00:00:01.5Z"), ("ce_id", b"1")]

    assert clocks(headers) == (1.5, 0.0, 0.0)
    assert clocks(None) == (0.0, 0.0, 0.0)


def test_an_event_is_followed_from_topic_to_topic() -> None:
    seen = [
        Seen("marketing.events", "k", 2.0, 2.1, (1.0, 0.0, 0.0), "e1", 0.5),
        Seen("leads.events", "lead", 3.1, 3.5, (1.0, 3.0, 0.0), "e1", 0.5),
        Seen("leads.scored", "lead", 4.1, 4.5, (1.0, 3.0, 4.0), "e1"),
        Seen("sales.queue.general", "lead", 6.0, 7.0, (1.0, 3.0, 4.0), None, 0.5, 5.0),
        Seen("sales.queue.general", "other", 6.0, 7.0, (1.0, 3.0, 4.0), None, 0.7, 5.0),
    ]
    (way,) = ways(seen, {"lead": 5.5, "other": 5.5})

    assert len(way.legs) == len(LEGS)
    assert [0.5, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0] == pytest.approx(way.legs)
    assert way.total == pytest.approx(6.5)


def test_goals_are_set_for_points_that_are_measured() -> None:
    names = {one.name for one in plan.wanted(2_000)}

    assert {goal.point for goal in plan.GOALS} <= names
    assert [500, 500, 1_000, 1_500] == [one.rate for one in plan.wanted(2_000)]


def test_costs_are_compared_round_by_round() -> None:
    base, more = Cost(SIZES[0], [10.0, 20.0, 10.0]), Cost(SIZES[1], [11.0, 22.0, 13.0])

    assert more.ratio(base) == pytest.approx(1.1)
