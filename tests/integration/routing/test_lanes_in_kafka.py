"""How far the lanes of the outbox are, as Kafka says: what the ledger has not noted yet is not published again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from services.routing.ledger.outbox import Waiting
from services.routing.outgoing import KafkaPublisher, PublisherLost
from streaming.client import KafkaAddress
from streaming.stage import Output
from streaming.topics import TopicSpec, apply

pytestmark = pytest.mark.kafka

WAIT = 30


class Place:
    """The topics of a relay, and its publishers."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap, self.prefix, self.made = bootstrap, prefix, list[KafkaPublisher]()

    def make(self, *names: str) -> None:
        apply(self.bootstrap, [TopicSpec(self.prefix + name, 4) for name in names])

    def publisher(self, ledger: str = "ledger") -> KafkaPublisher:
        """Not opened yet."""
        name = self.prefix + "relay"
        self.made.append(KafkaPublisher(KafkaAddress.parse(self.bootstrap), name, self.prefix, ledger))
        return self.made[-1]

    def opened(self, ledger: str = "ledger") -> KafkaPublisher:
        publisher = self.publisher(ledger)
        publisher.open()
        return publisher

    def record(self, lane: int, sequence: int) -> Waiting:
        return Waiting(sequence, lane, sequence, Output(self.prefix + "out", b"key", b"value", lane=lane))

    def out(self) -> int:
        """How many records readers see."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "r", "isolation.level": "read_committed"})
        slots = [TopicPartition(self.prefix + "out", number, 0) for number in range(4)]
        reader.assign(slots)
        ends = [reader.get_watermark_offsets(slot, WAIT)[1] for slot in slots]
        found = 0
        while any(at.offset < end for at, end in zip(reader.position(slots), ends, strict=True) if end):
            found += sum(message.error() is None for message in reader.consume(100, 0.2))
        reader.close()
        return found


@pytest.fixture
def place(kafka: str, topic_prefix: str) -> Iterator[Place]:
    made = Place(kafka, topic_prefix)
    made.make("leads.scored", "out")
    yield made
    for publisher in made.made:
        publisher.close()


def test_a_new_publisher_knows_what_an_older_one_published_and_the_ledger_has_not_noted(place: Place) -> None:
    place.make("routing.state")
    first = place.opened()
    assert first.positions({0, 1, 2}) == {}
    first.publish([place.record(0, 0), place.record(1, 0)], {0: 1, 1: 1})
    first.publish([place.record(1, 1)], {1: 2})

    assert place.opened().positions({0, 1, 2}) == {0: 1, 1: 2}
    assert place.opened("another").positions({0, 1, 2}) == {}
    assert place.out() == 3


def test_what_an_older_publisher_sends_after_a_newer_one_began_counts_for_nothing(place: Place) -> None:
    place.make("routing.state")
    first = place.opened()
    first.publish([place.record(0, 0)], {0: 1})
    second = place.opened()
    with pytest.raises(PublisherLost):
        first.publish([place.record(0, 1)], {0: 2})
    second.publish([place.record(0, 1)], {0: 2})

    assert place.opened().positions({0}) == {0: 2}
    assert place.out() == 2


def test_a_lane_that_an_older_version_kept_as_an_offset_goes_on_there(place: Place) -> None:
    place.make("routing.state")
    group = place.prefix + "relay"
    old = Producer({"bootstrap.servers": place.bootstrap, "transactional.id": group})
    nobody = Consumer({"bootstrap.servers": place.bootstrap, "group.id": group}).consumer_group_metadata()
    old.init_transactions(WAIT)
    old.begin_transaction()
    lanes = [TopicPartition(place.prefix + "leads.scored", lane, 5 + lane, "ledger") for lane in (0, 1)]
    old.send_offsets_to_transaction(lanes, nobody, WAIT)
    old.commit_transaction(WAIT)

    new = place.opened()
    assert new.positions({0, 1, 2}) == {0: 5, 1: 6}
    new.publish([place.record(1, 6)], {1: 7})
    assert place.opened().positions({0, 1}) == {0: 5, 1: 7}
    assert place.opened("another").positions({0, 1}) == {}


def test_without_its_topic_a_publisher_says_which_one_it_needs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.routing.outgoing.TOPIC_SECONDS", 0.5)
    with pytest.raises(PublisherLost, match=r"there is no topic .*routing\.state. Create it first"):
        place.opened()
