"""The way of single events, leg by leg: where the time goes between the door and the sales queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import psycopg
from rich.console import Console

from bench.path.quantiles import quantiles
from bench.path.reader import Seen
from bench.path.report import ms, three
from bench.path.runs import Point
from bench.path.sheet import Sheet, write_page
from schemas.topics import LEADS_EVENTS, LEADS_SCORED, MARKETING_EVENTS, SALES_QUEUE

LEGS = (
    "due → at the door",  # the request waits for its turn, is sent, read
    "→ a record for Kafka",  # parsed and checked
    "→ ingest's round begins",  # produced, acknowledged, fetched, gathered
    "→ lead's event readable",  # handled, written, committed, fetched by an onlooker
    "→ scoring's round begins",  # the same by scoring; negative where it was before the onlooker
    "→ score readable",
    "→ routing's round begins",
    "→ ledger committed",  # with the partitions of the round before it
    "→ the relay produces",  # woken, outbox read
    "→ readable on the sales queue",
)


class Way(NamedTuple):
    """Eleven times of one lead's event, in seconds since the epoch, in the order of `LEGS`."""

    lead: str
    times: tuple[float, ...]

    @property
    def legs(self) -> list[float]:
        """Seconds of each leg."""
        return [after - before for before, after in zip(self.times, self.times[1:], strict=False)]

    @property
    def total(self) -> float:
        """From the moment that the request was due, in seconds."""
        return self.times[-1] - self.times[0]


def ways(seen: Iterable[Seen], committed: Mapping[str, float]) -> list[Way]:
    """Those that could be followed from end to end. `committed`: by lead, when its assignment was committed."""
    by_topic: dict[str, dict[str, Seen]] = {MARKETING_EVENTS: {}, LEADS_EVENTS: {}, LEADS_SCORED: {}}
    queued: list[Seen] = []
    event_of: dict[tuple[str, float], str] = {}
    for one in seen:
        if one.topic.startswith(SALES_QUEUE):
            queued.append(one)
        elif one.event is not None:
            by_topic[one.topic][one.event] = one
            if one.topic == LEADS_EVENTS and one.captured is not None:
                event_of[one.lead, one.captured] = one.event
    found = []
    for last in queued:
        event = event_of.get((last.lead, last.captured or 0.0))
        if event is None or last.lead not in committed or last.assigned is None:
            continue
        steps = [by_topic[topic].get(event) for topic in (MARKETING_EVENTS, LEADS_EVENTS, LEADS_SCORED)]
        if None in steps:
            continue
        door, lead, scored = (step for step in steps if step is not None)
        received, ingested, scored_at = scored.clocks
        found.append(
            Way(
                last.lead,
                (
                    last.captured or 0.0, received, max(received, door.stamped), ingested, lead.readable, scored_at,
                    scored.readable, last.assigned, committed[last.lead], last.stamped, last.readable,
                ),
            )
        )  # fmt: skip
    return found


def commit_times(database_url: str, leads: Sequence[str]) -> dict[str, float]:
    """When the first assignment of each lead was committed, in seconds since the epoch.

    Of a row that was changed since (an answer, a timer) it is the time of that change.
    """
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT lead_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM assignments"
            " WHERE lead_id = ANY(%s)",
            [list(leads)],
        )
        return {lead: float(at) for lead, at in rows}


def show(followed: Sequence[Way], point: Point, console: Console) -> None:
    """Legs as quantiles, beside the ways of three events: an ordinary one, a slow one, the slowest. In ms."""
    if not followed:
        console.print(f"none of {point.routed} handoffs could be followed")
        return
    ordered = sorted(followed, key=lambda way: way.total)
    samples = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99, 1.0)]
    rows = [
        (leg, *three(quantiles(way.legs[number] for way in followed)), *(ms(way.legs[number]) for way in samples))
        for number, leg in enumerate(LEGS)
    ]
    rows.append(("all", *three(quantiles(way.total for way in followed)), *(ms(way.total) for way in samples)))
    titles = ("leg", "p50", "p95", "p99", "median one", "p99 one", "slowest")
    sheet = Sheet(f"{len(followed)} of {point.routed} handoffs, ms", titles, rows)
    console.print(sheet.table())
    write_page(
        "trace",
        sheet=sheet.markdown(),
        followed=f"{len(followed):,} of {point.routed:,}",
        rate=f"{point.rate:,.0f}",
        load=f"{point.load:.1f}",
    )
