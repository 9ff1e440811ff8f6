"""The table at the end of a run."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tests.faults import catalogue as c
from tests.faults.catalogue import Fault
from tests.faults.outcome import Outcome, Struck
from tests.faults.site import STAGES
from tests.faults.verdict import Verdict

SHORT = {"sums in Kafka": "kept", "sums in the ledger": "told"}
"""Heads of columns."""
SERVERS, SERVER_AND_WORKER, ONE_STAGE, TWO_STAGES = (
    "two servers at once",
    "a server and a stage at once",
    "two at once in a stage",
    "two at once in two stages",
)


def quantiles(seconds: Sequence[float]) -> str:
    """Nearest rank: p50, p95 and the longest."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p50, p95 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))
    return f"{p50:.1f} / {p95:.1f} / {ordered[-1]:.1f}"


def row_of(faults: Sequence[Fault]) -> str:
    """The row in which a strike is counted: its kind; of two at once, what they hit."""
    if len(faults) == 1:
        [fault] = faults
        return _kind(fault)
    servers = sum(fault.kind in c.OF_SERVERS for fault in faults)
    if servers:
        return SERVERS if servers == len(faults) else SERVER_AND_WORKER
    return ONE_STAGE if len({fault.stage for fault in faults}) == 1 else TWO_STAGES


def lines(outcome: Outcome, seed: int, again: str) -> list[str]:
    """The table, line by line. `again`: the command that draws the same faults."""
    faults = [struck for struck in outcome.struck if struck.had_work]
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
        *_of_stages(outcome.verdicts.items()),
        "",
        *_of_faults(faults),
    ]
    pairs = Counter(" + ".join(map(_kind, struck.faults)) for struck in faults if len(struck.faults) > 1)
    found += ["", "two at once: " + _listed(sorted(pairs.items()))]
    own = _listed((f"{stage} {code}:", times) for (stage, code), times in sorted(outcome.exits.items()))
    found += [f"processes that ended and were started again, by exit code: {own}"]
    for words, by_stage in (("joined again", outcome.rejoined), ("ended instead", outcome.ended)):
        found += [
            f"frozen or slow workers that lost their partitions, and {words}: {_listed(sorted(by_stage.items()))}"
        ]
    found += [f"strikes that found no work, and were repeated: {outcome.idle}"]
    found += [f"{words}: {_listed(by_stage.items())}" for words, by_stage in outcome.said.items()]
    held = ", ".join(f"{stage} {most >> 20}" for stage, most in outcome.largest.items())
    found += [f"memory of the largest worker, MiB resident: {held}"]
    if outcome.replaced:
        found += [f"watches of the driver that were stuck in a call, and replaced: {outcome.replaced}"]
    found += [f"VIOLATION: {line}" for line in outcome.violations]
    found += ["nothing lost, nothing doubled" if not outcome.violations else f"FAILED; the same faults again: {again}"]
    return found


def _of_stages(verdicts: Iterable[tuple[str, Verdict]]) -> list[str]:
    found = [f"{'stage':<20}{'events':>10}{'lost':>7}{'doubled':>9}{'duplicates':>12}   notes"]
    for name, verdict in verdicts:
        found.append(
            f"{name:<20}{verdict.events:>10}{verdict.lost:>7}{verdict.doubled:>9}{verdict.duplicates:>12}   "
            + "; ".join(verdict.notes)
        )
    return found


def _of_faults(faults: Sequence[Struck]) -> list[str]:
    """A row a kind: how often, of those how often with work in each stage, and seconds."""
    by_row: dict[str, list[Struck]] = defaultdict(list)
    for struck in faults:
        by_row[row_of(struck.faults)].append(struck)
    heads = "".join(f"{SHORT.get(stage, stage):>8}" for stage in STAGES)
    found = [
        f"{'fault':<36}{'times':>6}, with work in:",
        f"{'':<42}{heads}   {'recovery p50/p95/max s':<26}after its end p50/p95/max s",
    ]
    for name, strikes in [*sorted(by_row.items()), ("all", list(faults))]:
        with_work = "".join(f"{sum(one.partitions[stage] > 0 for one in strikes):>8}" for stage in STAGES)
        recovery = quantiles([one.recovery or 0.0 for one in strikes])
        after = quantiles([one.after_end or 0.0 for one in strikes])
        found.append(f"{name:<36}{len(strikes):>6}{with_work}   {recovery:<26}{after}")
    return found


def _kind(fault: Fault) -> str:
    return fault.kind + (f" {fault.seconds:.0f} s" if fault.kind == c.BROKER_PAUSE else "")


def _listed(counted: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {times}" for name, times in counted if times) or "none"
