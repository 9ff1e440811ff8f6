"""A run: faults one after the other under load, then the verdict."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tests.faults.acts import is_done
from tests.faults.catalogue import Fault
from tests.faults.closed_form import FIRST_LONG_BURST
from tests.faults.outcome import Outcome, Struck, ended_badly, heavy, mostly_idle
from tests.faults.path_verdict import judge_path
from tests.faults.patience import in_time
from tests.faults.site import PATH, SUMS, TOLD, Site
from tests.faults.strike import strike
from tests.faults.verdict import judge_sums

TRIES = 3
REST_SECONDS = 180.0
MOST_AGAIN = 60_000
"""So many records of people are sent once more in the end, and change nothing; more would take too long."""

BREAKER = "the breaker is open"
SAID = {"rounds that the broker refused": "round refused", "sessions lost": "session lost", BREAKER: BREAKER}
"""What workers say in their logs that is counted for the table."""


def drill(
    site: Site,
    plan: Iterable[Sequence[Fault]],
    rng: random.Random,
    seconds: float | None,
    say: Callable[[str], None] = print,
    *,
    everywhere: bool = False,
) -> Outcome:
    """Let the faults of `plan` happen for so many seconds, or all of them, then judge.

    `everywhere`: a server's fault counts only where each stage that it is meant for had work.
    """
    outcome, began = Outcome(), time.monotonic()
    for faults in plan:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        time.sleep(rng.uniform(0.3, 2.0))
        for tries in range(TRIES):
            struck = strike(site, faults, tries, everywhere=everywhere)
            outcome.rejoined.update(struck.rejoined)
            outcome.ended.update(struck.ended)
            if struck.had_work or struck.wrong:
                break
            outcome.idle += 1
            if tries + 1 < TRIES:
                say(f"{time.monotonic() - began:6.1f} s  {_words(struck)}; once more")
        outcome.struck.append(struck)
        say(f"{time.monotonic() - began:6.1f} s  {_words(struck)}")
        if struck.wrong:
            break
    outcome.seconds = time.monotonic() - began
    outcome.wrong += mostly_idle(outcome.struck, TRIES)
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
        outcome.verdicts |= judge_path(kafka, database, PATH, people, REST_SECONDS)
        if site.people.sent > MOST_AGAIN:
            outcome.verdicts["ingest"].notes.append("not sent again: too many")
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
    outcome.wrong += ended_badly(outcome.last_exits)


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
    verdicts = judge_path(kafka, database, PATH, people, REST_SECONDS, times=2)
    outcome.verdicts |= {f"{stage}, all again": verdict for stage, verdict in verdicts.items()}


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
    if not struck.had_work or struck.recovery is None or struck.after_end is None:
        why = "; ".join(struck.hollow) or f"no work but in {_by_stage(struck.partitions) or 'nothing'}"
        return f"{_names(struck.faults)}: does not count, {why}"
    ended = f"; ended instead of rejoining: {', '.join(struck.ended)}" if struck.ended else ""
    return (
        f"{_names(struck.faults)}: partitions with work {_by_stage(struck.partitions)}, "
        f"recovered in {struck.recovery:.1f} s ({struck.after_end:.1f} s after its end){ended}"
    )
