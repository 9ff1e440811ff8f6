"""Every kind of fault alone, then some at random: on servers of its own, under load. `make faults` runs these."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults import catalogue, table
from tests.faults.catalogue import Fault
from tests.faults.drill import drill
from tests.faults.outcome import Outcome
from tests.faults.site import STAGES, SUMS, Site
from tests.kafka import jars

pytestmark = [pytest.mark.faults, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(1_800)]
AT_RANDOM_SECONDS = 120.0
FEW = (
    (Fault(catalogue.KILL_ONE, "scoring"),),
    (Fault(catalogue.KILL_ALL, "ingest"),),
    (Fault(catalogue.DB_CRASH, seconds=2.0), Fault(catalogue.KILL_ONE, "routing", 1)),
    (Fault(catalogue.FREEZE, "sums in Kafka", seconds=12.0),),
    (Fault(catalogue.BROKER_KILL, seconds=2.0),),
)


@pytest.fixture
def site() -> Iterator[Callable[[Sequence[str]], Site]]:
    """Opens a site with such stages."""
    obstacle = jars.obstacle()
    if obstacle:
        pytest.skip(f"needs a Kafka node to harm: {obstacle}")
    made: list[Site] = []

    def opened(stages: Sequence[str]) -> Site:
        made.append(Site(Path(mkdtemp(prefix="faults-")), stages))  # a short path, for the database's socket
        made[-1].open()
        return made[-1]

    yield opened
    for one in made:
        one.close()
        shutil.rmtree(one.home, ignore_errors=True)


def harm(site: Site, plan: Iterator[Sequence[Fault]], seconds: float | None, seed: int) -> Outcome:
    pauses, everywhere = random.Random(seed + 1), seconds is None
    outcome = drill(site, plan, pauses, seconds, lambda line: print(line, flush=True), everywhere=everywhere)
    print("\n".join(table.lines(outcome, seed, f"FAULTS_SEED={seed} make faults")))
    return outcome


def test_no_fault_alone_loses_or_doubles_anything(site: Callable[[Sequence[str]], Site]) -> None:
    seed = 1
    stages = list(SUMS)
    plan = ((fault,) for fault in catalogue.each(random.Random(seed), stages))
    outcome = harm(site(stages), plan, None, seed)

    assert outcome.violations == []


def test_a_few_faults_lose_and_double_nothing_on_the_whole_path(site: Callable[[Sequence[str]], Site]) -> None:
    outcome = harm(site(STAGES), iter(FEW), None, 1)

    assert outcome.violations == []


def test_faults_at_random_lose_and_double_nothing_on_the_whole_path(site: Callable[[Sequence[str]], Site]) -> None:
    seed = int(os.environ.get("FAULTS_SEED", random.randrange(1_000_000)))
    print(f"seed {seed}")
    outcome = harm(site(STAGES), catalogue.at_random(random.Random(seed)), AT_RANDOM_SECONDS, seed)

    assert outcome.violations == []
    assert len(outcome.struck) >= 3
