"""Records as other programs may write them: any compression, and header names that are not UTF-8."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from baton.records import raw_headers, read
from streaming.client import KafkaAddress
from streaming.stage import Batch, Stage
from tests.integration.engine.kafka_driver import KafkaDriver, Running
from tests.integration.engine.quiet_topic import Quiet
from tests.integration.engine.seen import headers
from tests.waiting import until

pytestmark = pytest.mark.kafka

WAIT = 60.0
SOUND = [b"sound"] * 60
"""So many that CPython has specialised the code that takes them: it hears of less then."""
CODECS = "none", "gzip", "snappy", "lz4", "zstd"


class Name(str):
    """The name of a header that is not UTF-8 on the wire."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"caf\xe9"


def send(bootstrap: str, topic: str, *values: bytes) -> None:
    """Records to the first partition, all with such a header but those that are sound."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=50)
    for value in values:
        named = [("other", b"1")] if value == SOUND[0] else [(Name("name"), b"1"), ("other", b"2")]
        producer.send(topic, value, b"k", headers=named, partition=0)
    producer.flush(WAIT)
    producer.close()


@pytest.fixture
def on_kafka(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[KafkaDriver]:
    driver = KafkaDriver(kafka, topic_prefix, tmp_path / "app")
    yield driver
    driver.stop()


def copying(driver: KafkaDriver) -> Stage:
    """Looks at the headers of every record, as a stage does that has a use for them."""

    def copy(batch: Batch[None]) -> None:
        for record in batch.records:
            batch.emit(driver.name("counts"), record.key(), record.value(), record.headers() or ())

    return Stage("copying", driver.name("events"), driver.name("copying.failed"), copy, changelog=driver.name("state"))


def test_a_record_whose_header_name_is_not_utf_8_fails_alone_and_says_why(on_kafka: KafkaDriver) -> None:
    on_kafka.start(copying(on_kafka))
    send(on_kafka.bootstrap, on_kafka.name("events"), *SOUND, b"bad", b"worse", b"last", *SOUND)
    on_kafka.send(on_kafka.name("events"), b"k", b"after", [("kind", b"form")])
    on_kafka.settle()
    failed = on_kafka.records(on_kafka.name("copying.failed"))

    assert [record.value() for record in failed] == [b"bad", b"worse", b"last"]
    assert [headers(record)["baton_reason"] for record in failed] == [b"invalid_headers"] * 3
    assert [headers(record)["baton_offset"] for record in failed] == [b"60", b"61", b"62"]
    taken = Counter(record.value() for record in on_kafka.records(on_kafka.name("counts")))
    assert taken == {SOUND[0]: 2 * len(SOUND), b"after": 1}


def test_the_tools_read_such_a_record_without_its_headers(on_kafka: KafkaDriver) -> None:
    on_kafka.start(copying(on_kafka))
    send(on_kafka.bootstrap, on_kafka.name("events"), *SOUND, b"bad", SOUND[0])
    on_kafka.settle()
    found = list(read(KafkaAddress.parse(on_kafka.bootstrap), [on_kafka.name("events")]))

    for _ in range(2):
        assert [raw_headers(record) for record in found[-3:]] == [[("other", b"1")], [], [("other", b"1")]]


@pytest.fixture
def answers(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Quiet]:
    found, ready = Quiet(kafka, topic_prefix, tmp_path / "quiet"), threading.Event()
    running = Running(found.app(ready))
    try:
        assert ready.wait(WAIT)
        yield found
        running.check()
    finally:
        running.stop()


def test_a_quiet_topic_takes_records_of_any_compression(answers: Quiet) -> None:
    for codec in CODECS:
        producer = Producer({"bootstrap.servers": answers.bootstrap, "compression.type": codec})
        producer.produce(answers.topic, codec.encode() * 200, b"k", 0)
        producer.flush(WAIT)
    until(lambda: answers.behind() == 0, WAIT, "all to be taken")

    assert answers.taken == [(0, codec.encode() * 200) for codec in CODECS]


def test_a_quiet_topic_takes_records_whose_header_names_are_not_utf_8(answers: Quiet) -> None:
    """Those around them are taken too, in order; some of them twice, which agents of quiet topics have to bear."""
    values = [*SOUND, b"bad", *SOUND, *(b"worse %d" % n for n in range(100)), *SOUND]
    send(answers.bootstrap, answers.topic, *values)
    producer = Producer({"bootstrap.servers": answers.bootstrap})
    for number in (1, 0):
        producer.produce(answers.topic, b"after", b"k", number)
    producer.flush(WAIT)
    until(lambda: answers.behind() == 0, WAIT, "all to be taken")
    once = list(dict.fromkeys(answers.taken))

    assert [value for number, value in once if number == 0] == list(dict.fromkeys((*values, b"after")))
    assert [value for number, value in once if number == 1] == [b"after"]
    assert len(SOUND) * 3 <= Counter(answers.taken)[0, SOUND[0]] <= len(SOUND) * 6
    assert not answers.failures
