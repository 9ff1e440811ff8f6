"""A large backlog in one partition does not hold up the records of the others for as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from streaming.faust.app import EngineSettings, make_app
from streaming.stage import Batch
from tests.integration.engine.drivers import PARTITIONS
from tests.integration.engine.in_process import counting
from tests.integration.engine.kafka_driver import Running
from tests.integration.engine.place import Place
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.real_kafka, pytest.mark.timeout(300)]

WAIT = 120.0


@dataclass
class Backlog:
    """A stage with much to do in partition 0; `taken` are partitions in the order in which their records were taken."""

    place: Place
    taken: list[int] = field(default_factory=list)

    def lay(self, records: int, size: int) -> None:
        for number in range(records):
            value = (b"%d " % number).ljust(size, b"x")
            self.place.producer.produce(self.place.prefix + "events", value, b"k%d" % (number % 200), 0)
            if number % 10_000 == 0:
                self.place.producer.flush(WAIT)
        self.place.producer.flush(WAIT)

    def run(self, max_records: int) -> Running:
        stage = counting(self.place)

        def count(batch: Batch[int]) -> None:
            self.taken.extend(record.partition() for record in batch.records)
            stage.handler(batch)

        group, home = self.place.prefix + "counting", self.place.home
        told = EngineSettings(bootstrap=self.place.bootstrap, group=group, data_dir=home, max_records=max_records)
        return Running(make_app(replace(stage, handler=count), told))

    def goes_first(self, after: int) -> int:
        """How many of the large backlog are taken between the word that a record is in each of the others, and them."""
        until(lambda: len(self.taken) >= after, WAIT, f"{after} records to be taken", every=0.005)
        before = self.taken.count(1)
        for number in range(1, PARTITIONS):
            self.place.producer.produce(self.place.prefix + "events", b"one", b"z%d" % number, number)
        self.place.producer.flush(WAIT)
        start = len(self.taken)
        others = range(1, PARTITIONS)
        until(lambda: all(self.taken.count(n) > before for n in others), WAIT, "the others to be taken", every=0.02)
        last = max(self._place_of(number, before) for number in others)
        return self.taken[start:last].count(0)

    def _place_of(self, number: int, before: int) -> int:
        return [at for at, one in enumerate(self.taken) if one == number][before]


@pytest.fixture
def backlog(real_place: Place) -> Backlog:
    real_place.home.mkdir(exist_ok=True)
    return Backlog(real_place)


@pytest.mark.parametrize(
    ("max_records", "size", "records", "most"),
    [(4_000, 100, 200_000, 60_000), (1_000, 1_000, 60_000, 12_000)],
    ids=["small records, rounds as they ship", "records and rounds as routing has them"],
)
def test_new_records_of_other_partitions_wait_for_no_more_than_what_was_fetched(
    backlog: Backlog, max_records: int, size: int, records: int, most: int
) -> None:
    backlog.lay(records, size)
    running = backlog.run(max_records)
    try:
        waited = [backlog.goes_first(records // part) for part in (10, 3)]
        left = records - backlog.taken.count(0)
        running.check()
    finally:
        running.stop()

    print(f"waited for {waited} of the {records} in the large backlog; {left} of it were left")
    assert left > 0, "all was done: nothing could have starved"
    assert max(waited) <= most
