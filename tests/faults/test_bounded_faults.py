"""A few faults, the same each time, on the whole path: `make faults-few`, in minutes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults import catalogue, table
from tests.faults.catalogue import Fault
from tests.faults.drill import drill
from tests.faults.site import STAGES, Site
from tests.kafka import jars

pytestmark = [pytest.mark.faults, pytest.mark.real_kafka, pytest.mark.postgres, pytest.mark.timeout(850)]

PLAN = (
    (Fault(catalogue.KILL_ONE, "scoring"),),
    (Fault(catalogue.KILL_ALL, "ingest"),),
    (Fault(catalogue.DB_CRASH, seconds=2.0), Fault(catalogue.KILL_ONE, "routing", 1)),
    (Fault(catalogue.FREEZE, "sums in Kafka", seconds=12.0),),
    (Fault(catalogue.BROKER_KILL, seconds=2.0),),
)


def test_a_few_faults_lose_and_double_nothing_on_the_whole_path() -> None:
    if obstacle := jars.obstacle():
        pytest.skip(f"needs a Kafka node to harm: {obstacle}")
    site = Site(Path(mkdtemp(prefix="faults-")), STAGES)  # a short path, for the database's socket
    try:
        site.open()
        outcome = drill(site, PLAN, random.Random(1), 86_400.0, print)
    finally:
        site.close()
        shutil.rmtree(site.home, ignore_errors=True)
    print("\n".join(table.lines(outcome, 1)))

    assert outcome.violations == []
