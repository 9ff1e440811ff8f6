"""A run: faults one after the other under load, then the verdict."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.acts import is_done
from tests.faults.catalogue import Fault
from tests.faults.closed_form import FIRST_LONG_BURST
from tests.faults.patience import in_time
from tests.faults.site import PATH, SUMS, TOLD, Site
from tests.faults.strike import Struck, strike
from tests.faults.verdict import Verdict, judge_path, judge_sums

TRIES = 3
REST_SECONDS = 180.0
MOST_IDLE = 5
"""One strike in so many may find nothing to do; it is not counted, and the table names it."""
MOST_AGAIN = 60_000
"""So many records of people are sent once more in the end, and change nothing; more would take too long."""

MOST_BYTES = 600 * 1024 * 1024
"""More than any worker may ever have in memory, whatever waits, fails or is restored around it."""

BREAKER = "the breaker is open"
SAID = {"rounds that the broker refused": "round refused", "sessions lost": "session lost", BREAKER: BREAKER}
"""What workers say in their logs that is counted for the table."""


@dataclass
class Outcome:
    """What a run came to."""

    struck: list[Struck] = field(default_factory=list)
    idle: int = 0
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
    """How often workers said what `SAID` names, by stage."""

    @property
    def violations(self) -> list[str]:
        found = [*self.wrong, *(line for struck in self.struck for line in struck.wrong)]
        found += [f"{name}: {line}" for name, verdict in self.verdicts.items() for line in verdict.violations]
        return found


def drill(
    site: Site,
    plan: Iterable[Sequence[Fault]],
    rng: random.Random,
    seconds: float | None,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Let the faults of `plan` happen for so many seconds, or all of them, then judge."""
    outcome, began = Outcome(), time.monotonic()
    for faults in plan:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        time.sleep(rng.uniform(0.3, 2.0))
        for tries in range(TRIES):
            struck = strike(site, faults, tries)
            if struck.had_work or struck.wrong:
                break
            outcome.idle += 1
        outcome.struck.append(struck)
        say(f"{time.monotonic() - began:6.1f} s  {_words(struck)}")
        if struck.wrong:
            break
    outcome.seconds = time.monotonic() - began
    idle = sum(not struck.had_work for struck in outcome.struck)
    if idle * MOST_IDLE > len(outcome.struck):
        outcome.wrong.append(
            f"{idle} of {len(outcome.struck)} strikes found no work, {TRIES} times each: this says little"
        )
    _judge(site, outcome, say)
    return outcome


def _judge(site: Site, outcome: Outcome, say: Callable[[str], None]) -> None:
    try:
        site.settled(REST_SECONDS)
    except TimeoutError as error:
        outcome.wrong.append(str(error))
    for feeder in site.feeders:
        outcome.wrong += [f"the driver could not send: {why}" for why in feeder.failures[:3]]
    say("judging")
    kafka = site.node.bootstrap
    if site.people is not None:
        database, people = site.database.bare_url("path"), site.people.people
        outcome.verdicts["the path"] = judge_path(kafka, database, PATH, people, REST_SECONDS)
        if site.people.sent > MOST_AGAIN:
            outcome.verdicts["the path"].notes.append("not sent again: too many")
        elif not outcome.violations:
            _send_again(site, outcome)
    outcome.replaced = sum(watch.replaced for watch in site.watches.values())
    outcome.exits = Counter(site.crew.exits)
    outcome.largest = dict(site.crew.largest)
    outcome.wrong += heavy(outcome.largest, site.stages)
    outcome.last_exits = site.crew.end()
    for stage, feeder in site.sums.items():
        prefix, _ = SUMS[stage]
        table = site.database.bare_url("sums") if prefix == TOLD else None
        outcome.verdicts[stage] = judge_sums(kafka, prefix, feeder.sent, table)
    outcome.said = _said(site)
    # Not each of them: records of two partitions that are at unlike places may part the burst.
    if any(feeder.sent > 2 * FIRST_LONG_BURST for feeder in site.sums.values()) and not outcome.said[BREAKER].total():
        outcome.wrong.append("no breaker opened at a burst of bad events")
    bad = {name: code for name, code in outcome.last_exits.items() if code != 0}
    if bad:
        outcome.wrong.append(f"workers did not end well: {bad}")


def heavy(largest: Mapping[str, int], stages: Iterable[str]) -> list[str]:
    """What is wrong with the memory of workers, given the most bytes that one of each stage had."""
    found = [f"the memory of {stage} was not measured" for stage in stages if not largest.get(stage)]
    return found + [
        f"a worker of {stage} had {held >> 20} MiB in memory, more than {MOST_BYTES >> 20}"
        for stage, held in largest.items()
        if held > MOST_BYTES
    ]


def _send_again(site: Site, outcome: Outcome) -> None:
    assert site.people is not None
    site.people.again()
    outcome.wrong += [f"the driver could not send: {why}" for why in site.people.failures[:3]]
    try:
        in_time(lambda: is_done(site, "routing"), REST_SECONDS, "the path to be at rest again", every=0.2)
    except TimeoutError as error:
        outcome.wrong.append(str(error))
        return
    kafka, database, people = site.node.bootstrap, site.database.bare_url("path"), site.people.people
    outcome.verdicts["all sent again"] = judge_path(kafka, database, PATH, people, REST_SECONDS, times=2)


def _said(site: Site) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {words: Counter() for words in SAID}
    for stage in site.stages:
        for log in site.logs.glob(f"{stage}-*.log"):
            text = log.read_text()
            for words, said in SAID.items():
                found[words][stage] += text.count(said)
    return found


def _names(faults: Sequence[Fault]) -> str:
    return " + ".join(map(str, faults))


def _by_stage(counted: Counter[str]) -> str:
    return ", ".join(f"{stage} {count}" for stage, count in sorted(counted.items()) if count)


def _words(struck: Struck) -> str:
    if struck.wrong:
        return f"{_names(struck.faults)}: {'; '.join(struck.wrong)}"
    if struck.recovery is None or struck.after_end is None:
        return f"{_names(struck.faults)}: no work was left"
    return (
        f"{_names(struck.faults)}: partitions with work {_by_stage(struck.partitions)}, "
        f"recovered in {struck.recovery:.1f} s ({struck.after_end:.1f} s after its end)"
    )
