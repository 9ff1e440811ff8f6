"""The live view in a terminal: a picture of a snapshot. Pure."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from baton.counting import counted
from baton.up import words
from baton.up.snapshot import QueueSample, RepSample, Snapshot

_BAR = 18  # characters
_FIXED = 10  # rows of frame, headings and foot


def render(snapshot: Snapshot, title: str, *, rows: int = 40) -> RenderableType:
    """The whole view, for a terminal with so many rows."""
    parts: list[RenderableType] = [_stages(snapshot)]
    left = max(8, rows - len(snapshot.stages) - _FIXED)
    if snapshot.queues:
        parts.append(_queues(snapshot.queues, most=left * 3 // 5))
    parts.append(_routed(snapshot, most=left - left * 3 // 5))
    foot = Text("Ctrl-C stops everything in order; the next start goes on from there.", style="dim")
    up = words.seconds(snapshot.uptime)
    return Panel(Group(*parts, foot), title=f"[bold]baton[/] {title}", subtitle=f"up {up}", box=box.ROUNDED)


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, header_style="bold dim", pad_edge=False, expand=True)
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "r" else "left", no_wrap=True, overflow="ellipsis")
    return table


def _stages(snapshot: Snapshot) -> RenderableType:
    table = _table(
        ("stage", "l"), ("records", "r"), ("a second", "r"), ("round p50", "r"), ("p99", "r"), ("lag", "r"),
        ("failed", "r"), ("workers", "r"),
    )  # fmt: skip
    for stage in snapshot.stages:
        workers = f"{stage.workers}" + (
            f" ({counted(stage.restarts, 'restart', 'restarts')})" if stage.restarts else ""
        )
        name = Text(stage.name, style="bold" if not stage.breaker_open else "bold red")
        if stage.breaker_open:
            name.append(" stopped: too much fails")
        table.add_row(
            name,
            f"{stage.records:,}",
            f"{stage.per_second:,.1f}",
            words.seconds(stage.p50),
            words.seconds(stage.p99),
            Text(words.lag(stage.lag), style="yellow" if (stage.lag or 0) > stage.per_second * 5 + 100 else ""),
            Text(f"{stage.failed:,}", style="red" if stage.failed else ""),
            Text(workers, style="yellow" if stage.restarts else ""),
        )
    handoff = Text("capture to sales queue: ", style="dim")
    if snapshot.handoff:
        p50, p99 = snapshot.handoff
        handoff.append(f"p50 {words.seconds(p50)}, p99 {words.seconds(p99)}", style="bold green")
    else:
        handoff.append("no lead yet")
    return Group(table, handoff, Text())


def _queues(queues: tuple[QueueSample, ...], most: int) -> RenderableType:
    table = _table(("queue", "l"), ("rep", "l"), ("with them", "r"), ("since the candidates last changed; due: │", "l"))
    shown = 0
    for queue in queues:
        name = Text(queue.name, style="bold")
        if queue.waiting:
            name.append(f"  {queue.waiting} wait", style="yellow")
        for index, rep in enumerate(queue.reps):
            if shown == most:
                break
            table.add_row(name if index == 0 else "", rep.rep, f"{rep.leads:,}", _bar(rep, queue.counted))
            shown += 1
        if not queue.reps:
            table.add_row(name, "", "0", "")
            shown += 1
    hidden = sum(max(1, len(queue.reps)) for queue in queues) - shown
    return Group(table, Text(f"… and {hidden} more" if hidden > 0 else "", style="dim"))


def _bar(rep: RepSample, counted: int) -> Text:
    if rep.due is None or not counted:
        return Text()
    share = rep.counted / counted
    filled, at = round(share * _BAR), min(_BAR - 1, round(rep.due * _BAR))
    cells = "█" * filled + "·" * (_BAR - filled)
    bar = Text.assemble((cells[:at], "cyan"), ("│", "bold white"), (cells[at + 1 :], "cyan"))
    bar.append(f" {rep.counted} of {counted}, {words.percent(share)}", style="bold")
    bar.append(f"  due {words.percent(rep.due)}", style="dim")
    return bar


def _routed(snapshot: Snapshot, most: int) -> RenderableType:
    table = _table(("last routed", "l"), ("who", "l"), ("to", "l"), ("why", "l"), ("took", "r"))
    table.columns[1].ratio, table.columns[3].ratio = 3, 3
    for lead in snapshot.routed[:most]:
        table.add_row(
            lead.at.strftime("%H:%M:%S"),
            lead.who,
            Text(words.whither(lead), style="green" if lead.rep else "yellow"),
            lead.why or lead.rule,
            words.seconds(lead.seconds),
        )
    return Group(table, Text())
