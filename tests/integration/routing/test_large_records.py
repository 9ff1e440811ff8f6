"""Large records in the outbox: the relay takes them in parts, all of them, in order, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from services.routing.ledger import Ledger, outbox
from services.routing.ledger.outbox import Waiting
from services.routing.relay import BATCH, BATCH_BYTES, Relay, kafka_relay
from streaming.client import KafkaAddress
from streaming.stage import Output
from streaming.topics import TopicSpec, apply
from tests.integration.routing.relays import empty, keys_of
from tests.integration.routing.test_relay_watch import FakePublisher
from tests.waiting import until

pytestmark = pytest.mark.postgres

LARGE = 900_000
"""What a routed lead may have."""
LANES = 3


@dataclass
class Weighing(FakePublisher):
    """Keeps how many bytes each round had, and nothing of the values."""

    rounds: list[int] = field(default_factory=list)

    def publish(self, records: Sequence[Waiting], _nexts: Mapping[int, int]) -> None:
        self.rounds.append(sum(len(one.output.value or b"") for one in records))
        self.published += [one._replace(output=one.output._replace(value=None)) for one in records]


def fill(ledger: Ledger, sizes: Sequence[int], topic: str = "t") -> None:
    """A record of each size, each lane's in turn, which is its partition, too; four at a time."""
    noise = Random(0)
    keyed = [(n, noise.randbytes(size)) for n, size in enumerate(sizes)]
    outputs = [Output(topic, b"%d" % n, value, (), n % LANES, lane=n % LANES) for n, value in keyed]
    for start in range(0, len(outputs), 4):
        with ledger.unit() as unit:
            unit.publish(outputs[start : start + 4])


def first(ledger: Ledger, limit: int, most_bytes: int) -> tuple[list[int], bool]:
    """Numbers of the records of the first part, in the order in which they were written, and whether it was cut."""
    with ledger.engine.connect() as connection:
        found = outbox.waiting(connection, limit, most_bytes)
    return [int(one.output.key or b"") for one in found.records], found.cut


def test_a_part_ends_with_the_record_that_reaches_its_bytes(ledger: Ledger) -> None:
    fill(ledger, [1_000] * 10)  # each with a key of one byte, and `[]` for headers

    assert first(ledger, 100, 3 * 1_003) == ([0, 1, 2], True)
    assert first(ledger, 100, 3 * 1_003 + 1) == ([0, 1, 2, 3], True)
    assert first(ledger, 4, 1_000_000) == ([0, 1, 2, 3], True)
    assert first(ledger, 100, 1_000_000) == (list(range(10)), False)


def test_a_record_larger_than_a_part_is_taken_alone(ledger: Ledger) -> None:
    fill(ledger, [LARGE, 1, 1])

    assert first(ledger, 100, 1) == ([0], True)


def test_large_records_are_taken_in_parts(ledger: Ledger) -> None:
    publisher = Weighing()
    relay = Relay(ledger, "relay", lambda _: publisher)
    fill(ledger, [LARGE] * 30 + [10] * 30 + [BATCH_BYTES + 1] + [LARGE] * 10)
    relay.start()
    until(lambda: empty(ledger), 60, "an empty outbox")
    relay.stop()
    lanes = [[one.sequence for one in publisher.published if one.lane == lane] for lane in range(LANES)]

    assert max(publisher.rounds) < 2 * BATCH_BYTES + 1  # the largest one, and what stood before it
    assert min(publisher.rounds[:3]) >= BATCH_BYTES  # and no smaller parts than need be
    assert [list(range(len(numbers))) for numbers in lanes] == lanes
    assert len(publisher.published) == 71 < BATCH


@pytest.mark.kafka
def test_large_records_reach_kafka_in_order_each_once(ledger: Ledger, kafka: str, topic_prefix: str) -> None:
    topic = topic_prefix + "out"
    apply(kafka, [TopicSpec(name, LANES) for name in (topic, topic_prefix + "leads.scored")])
    apply(kafka, [TopicSpec(topic_prefix + "routing.state", 1)])
    fill(ledger, [LARGE] * 40, topic)
    relay = kafka_relay(ledger, KafkaAddress.parse(kafka), topic_prefix)
    relay.start()
    until(lambda: empty(ledger), 100, "an empty outbox")
    relay.stop()

    right = [[b"%d" % n for n in range(40) if n % LANES == lane] for lane in range(LANES)]
    assert keys_of(kafka, topic, LANES, seconds=60) == right
