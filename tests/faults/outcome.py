"""What a run came to, and what of that fails it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.catalogue import Fault
from tests.faults.verdict import Verdict

MOST_IDLE = 5
"""One strike in so many may find nothing to do; it is not counted, and the table names it."""

MOST_BYTES = 600 * 1024 * 1024
"""More than any worker may ever have in memory, whatever waits, fails or is restored around it."""


@dataclass
class Struck:
    """What faults did. Seconds: from the blow, and from its end, to the first commit of the last partition hit.

    `partitions` had work when they struck, by stage. `had_work`: so had those that each of them was meant for, and
    nothing is in `hollow`: why they did not what they say, as one that woke up when nothing was left. `rejoined` and
    `ended`: stages whose frozen or slow worker came back as it was, or as another process.
    """

    faults: Sequence[Fault]
    had_work: bool = False
    partitions: Counter[str] = field(default_factory=Counter)
    recovery: float | None = None
    after_end: float | None = None
    hollow: list[str] = field(default_factory=list)
    rejoined: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """All of it."""

    struck: list[Struck] = field(default_factory=list)
    idle: int = 0
    """Strikes that found no work, each time that they were tried."""
    rejoined: Counter[str] = field(default_factory=Counter)
    """Frozen or slow workers that came back as they were, by stage; `ended`: as another process."""
    ended: Counter[str] = field(default_factory=Counter)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    exits: Counter[tuple[str, int]] = field(default_factory=Counter)
    last_exits: dict[str, int | None] = field(default_factory=dict)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    replaced: int = 0
    """Watches whose client was stuck, and that got a new one."""
    largest: dict[str, int] = field(default_factory=dict)
    """Bytes in memory of the largest worker, by stage."""
    said: dict[str, Counter[str]] = field(default_factory=dict)
    """How often workers said certain words, by what they mean and by stage."""

    @property
    def violations(self) -> list[str]:
        found = [*self.wrong, *(line for struck in self.struck for line in struck.wrong)]
        found += [f"{name}: {line}" for name, verdict in self.verdicts.items() for line in verdict.violations]
        return found

    @property
    def exit_code(self) -> int:
        return 1 if self.violations else 0


def mostly_idle(struck: Sequence[Struck], tries: int) -> list[str]:
    """What is wrong with a run in which too many strikes found no work; `tries`: how often each was repeated."""
    idle = sum(not one.had_work for one in struck)
    if idle * MOST_IDLE <= len(struck):
        return []
    return [f"{idle} of {len(struck)} strikes found no work, {tries} times each: this says little"]


def ended_badly(last_exits: Mapping[str, int | None]) -> list[str]:
    """What is wrong with how workers ended that were told to when the run was over; None: it had to be killed."""
    bad = {name: code for name, code in last_exits.items() if code != 0}
    return [f"workers did not end well: {bad}"] if bad else []


def heavy(largest: Mapping[str, int], stages: Iterable[str]) -> list[str]:
    """What is wrong with the memory of workers, given the most bytes that one of each stage had."""
    found = [f"the memory of {stage} was not measured" for stage in stages if not largest.get(stage)]
    return found + [
        f"a worker of {stage} had {held >> 20} MiB in memory, more than {MOST_BYTES >> 20}"
        for stage, held in largest.items()
        if held > MOST_BYTES
    ]
