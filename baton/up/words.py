"""Numbers as people read them."""

from __future__ import annotations

from baton.up.snapshot import RepSample, RoutedSample, StageSample


def seconds(value: float | None) -> str:
    """`12 ms`, `1.4 s`, `3 min`, `2 h`; a dash for nothing."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.0f} h"


def lag(records: int | None) -> str:
    """`1,204`; a dash where nobody can tell."""
    return "–" if records is None else f"{records:,}"


def stopped(stage: StageSample) -> str:
    """`, stopped: too much fails` of a stage whose breaker is open, else nothing."""
    return ", stopped: too much fails" if stage.breaker_open else ""


def share(rep: RepSample, counted: int) -> str:
    """`ana 12, of late 4 of 10 (due 40 %)`."""
    if rep.due is None or not counted:
        return f"{rep.rep} {rep.leads:,}"
    return f"{rep.rep} {rep.leads:,}, of late {rep.counted} of {counted} (due {percent(rep.due)})"


def whither(lead: RoutedSample) -> str:
    """`emea-enterprise → ana`, or where it waits."""
    return f"{lead.queue} → {lead.rep}" if lead.rep else f"{lead.queue}, waiting for somebody"


def percent(value: float) -> str:
    """`40 %` of 0.4."""
    return f"{value * 100:.0f} %"
