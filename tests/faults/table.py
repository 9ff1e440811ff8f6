"""The table at the end of a run."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Sequence

from tests.faults.drill import Outcome


def quantiles(seconds: Sequence[float]) -> str:
    """Nearest rank: p50, p95 and the longest."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p50, p95 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
    return f"{p50:.1f} / {p95:.1f} / {ordered[-1]:.1f}"


def lines(outcome: Outcome, seed: int, again: str) -> list[str]:
    """The table, line by line. `again`: the command that draws the same faults."""
    faults = [struck for struck in outcome.struck if struck.had_work]
    by_kind: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for struck in faults:
        name = " + ".join(
            fault.kind + (f" {fault.seconds:.0f} s" if "paused" in fault.kind else "") for fault in struck.faults
        )
        by_kind[name].append((struck.recovery or 0.0, struck.after_end or 0.0))
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    count = sum(len(struck.faults) for struck in faults)
    idle = [fault for struck in outcome.struck if not struck.had_work for fault in struck.faults]
    found = [
        "",
        f"seed {seed}: {count} faults with work, in {len(faults)} strikes, in {outcome.seconds / 60:.1f} minutes",
        f"strikes without work, of which nothing is counted: {len(outcome.struck) - len(faults)}"
        + "".join(f"; {fault.kind}, {fault.stage or 'no stage'}" for fault in idle),
        f"load of the machine: {load} on {os.cpu_count()} cores",
        "",
        f"{'stage':<20}{'events':>10}{'lost':>7}{'doubled':>9}{'duplicates':>12}   notes",
    ]
    for name, verdict in outcome.verdicts.items():
        found.append(
            f"{name:<20}{verdict.events:>10}{verdict.lost:>7}{verdict.doubled:>9}{verdict.duplicates:>12}   "
            + "; ".join(verdict.notes)
        )
    found += ["", f"{'fault':<44}{'times':>6}   {'recovery p50/p95/max s':<26}after its end p50/p95/max s"]
    for name, times in sorted(by_kind.items()):
        recovery, after = quantiles([one for one, _ in times]), quantiles([one for _, one in times])
        found.append(f"{name:<44}{len(times):>6}   {recovery:<26}{after}")
    everything = [pair for times in by_kind.values() for pair in times]
    recovery, after = quantiles([one for one, _ in everything]), quantiles([one for _, one in everything])
    found.append(f"{'all':<44}{len(everything):>6}   {recovery:<26}{after}")
    own = ", ".join(f"{stage} {code}: {times}" for (stage, code), times in sorted(outcome.exits.items()))
    found += ["", f"processes that ended and were started again, by exit code: {own or 'none'}"]
    found += [f"strikes that found no work, and were repeated: {outcome.idle}"]
    found += [
        f"{words}: " + (", ".join(f"{stage} {times}" for stage, times in by_stage.items() if times) or "none")
        for words, by_stage in outcome.said.items()
    ]
    held = ", ".join(f"{stage} {most >> 20}" for stage, most in outcome.largest.items())
    found += [f"memory of the largest worker, MiB resident: {held}"]
    if outcome.replaced:
        found += [f"watches of the driver that were stuck in a call, and replaced: {outcome.replaced}"]
    found += [f"VIOLATION: {line}" for line in outcome.violations]
    found += ["nothing lost, nothing doubled" if not outcome.violations else f"FAILED; the same faults again: {again}"]
    return found
