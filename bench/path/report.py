"""What came of it, as tables and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console

from bench.path import plan
from bench.path.quantiles import Quantiles, quantiles
from bench.path.runs import Full, Point
from bench.path.sheet import Sheet, write_page

TITLES = ("", "events a second", "handoff p50", "p95", "p99", "p99 to goal", "behind at the end", "load")


@dataclass(slots=True)
class Results:
    """Of one run."""

    full: Full
    points: list[Point] = field(default_factory=list)


def show(results: Results, console: Console) -> None:
    """On the terminal."""
    console.print(sustained_words(results.full))
    console.print(handoffs(results.points).table())
    console.print(legs(results.points).table())
    for line in goals(results.points):
        console.print(line)
    for point in results.points:
        if point.refused:
            console.print(f"{point.name}: {point.refused} events were not taken: {point.sent.statuses}")


def write(results: Results) -> None:
    """The page."""
    costs = [(name, f"{us:.0f}") for name, us in results.full.micros.items()]
    write_page(
        "path",
        goals="\n".join(f"- {line}" for line in goals(results.points)),
        sustained=sustained_words(results.full),
        handoffs=handoffs(results.points).markdown(),
        legs=legs(results.points).markdown(),
        cpu=Sheet("", ("process", "CPU µs an event"), costs).markdown(),
        share=f"{results.points[0].share:.0%}",
        seconds=f"{plan.POINT_SECONDS:g}",
        window=f"{plan.WINDOW:,}",
        batch=plan.BATCH,
    )


def handoffs(points: Sequence[Point]) -> Sheet:
    """How long leads took."""
    return Sheet("Handoff: due at the door → readable on the sales queue, ms", TITLES, [row(point) for point in points])


def legs(points: Sequence[Point]) -> Sheet:
    """How long all events took from stage to stage."""
    return Sheet("All events, p50 / p99, ms", ("", *LEGS), [leg_row(point) for point in points])


def sustained_words(full: Full) -> str:
    """The sustained rate, in a sentence."""
    return (
        f"Sustained: {full.rate:,.0f} events a second, with {plan.WINDOW:,} on their way and {plan.BATCH} a request "
        f"(load {full.load:.1f})."
    )


def goals(points: Sequence[Point]) -> list[str]:
    """Which goals were reached."""
    by_name = {point.name: point for point in points}
    said = []
    for goal in plan.GOALS:
        if goal.point in by_name:
            p99 = by_name[goal.point].handoff.p99
            reached = "reached" if p99 < goal.p99 else "not reached"
            said.append(f"p99 under {1000 * goal.p99:.0f} ms at {goal.point}: {reached} ({1000 * p99:.0f} ms)")
    return said


LEGS = ("door answers", "door → ingest", "ingest → scoring", "scored, readable")


def row(point: Point) -> tuple[str, ...]:
    """Cells of a point, by `TITLES`."""
    goal = next((one.p99 for one in plan.GOALS if one.point == point.name), None)
    of_goal = f"{point.handoff.p99 / goal:.2f} ×" if goal else ""
    return (
        point.name,
        f"{point.rate:,.0f}",
        *three(point.handoff),
        of_goal,
        f"{point.sent.behind:,}",
        f"{point.load:.1f}",
    )


def leg_row(point: Point) -> tuple[str, ...]:
    """Cells of a point, by `LEGS`."""
    return (point.name, *(f"{ms(point.legs[leg].p50)} / {ms(point.legs[leg].p99)}" for leg in LEGS))


def three(one: Quantiles) -> list[str]:
    """In ms."""
    return [ms(one.p50), ms(one.p95), ms(one.p99)]


def ms(seconds: float) -> str:
    """To a tenth below 10 ms."""
    milliseconds = 1000 * seconds
    return f"{milliseconds:.1f}" if abs(milliseconds) < 10 else f"{milliseconds:.0f}"


def show_late(point: Point, console: Console) -> None:
    """How exact the senders were, and what each process spent: whether a run can be believed."""
    late = " / ".join(three(quantiles(point.sent.late)))
    spent = ", ".join(f"{name} {1e6 * used / point.sent.events:.0f}" for name, used in point.cpu.items())
    console.print(f"requests went out late by {late} ms; answers {point.sent.statuses}; load {point.load:.1f}")
    console.print(f"CPU µs an event: {spent}")
