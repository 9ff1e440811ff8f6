"""The same without a terminal: a few plain lines every few seconds. Pure."""

from __future__ import annotations

from baton.up import words
from baton.up.snapshot import RoutedSample, Snapshot


def summary(snapshot: Snapshot) -> list[str]:
    """One line of stages, one a queue."""
    stages = ", ".join(
        f"{stage.name} {stage.records:,}"
        f" ({stage.per_second:,.1f}/s, lag {words.lag(stage.lag)}, failed {stage.failed:,}{words.stopped(stage)})"
        for stage in snapshot.stages
    )
    lines = [stages] if stages else []
    if snapshot.handoff:
        p50, p99 = snapshot.handoff
        lines.append(f"capture to sales queue: p50 {words.seconds(p50)}, p99 {words.seconds(p99)}")
    for queue in snapshot.queues:
        reps = "; ".join(words.share(rep, queue.counted) for rep in queue.reps)
        waiting = f"; {queue.waiting} wait for somebody" if queue.waiting else ""
        lines.append(f"queue {queue.name}: {reps or 'nobody yet'}{waiting}")
    return lines


def routed(lead: RoutedSample) -> str:
    """One line of a lead that was routed."""
    took = f", {words.seconds(lead.seconds)} after capture" if lead.seconds is not None else ""
    return f"routed {lead.who}: {words.whither(lead)} ({lead.why or lead.rule}{took})"
