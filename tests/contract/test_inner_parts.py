"""What the engine relies on inside other people's packages: an upgrade that changes it fails here, by its name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from faust import Worker
from faust.transport.drivers import aiokafka as driver

from streaming.faust.app import EngineSettings, make_app
from streaming.faust.inner import CommittedThread
from streaming.stage import Stage


def test_faust_makes_its_consumer_where_we_replace_it() -> None:
    assert "_create_worker_consumer" in vars(driver.AIOKafkaConsumerThread)
    assert "_new_consumer_thread" in vars(driver.Consumer)


async def test_the_consumer_of_agents_reads_committed_records(tmp_path: Path) -> None:
    stage = Stage("idle", "in", "idle.failed", lambda _: None)
    app = make_app(stage, EngineSettings(bootstrap="127.0.0.1:1", group="g", data_dir=tmp_path))
    app.finalize()
    thread = app.consumer._new_consumer_thread()
    thread.thread_loop = asyncio.get_running_loop()
    consumer = thread._create_consumer(loop=thread.thread_loop)

    assert isinstance(thread, CommittedThread)
    assert consumer._isolation_level == "read_committed"
    assert app.consumer.in_transaction is False


def test_the_worker_has_the_signal_handlers_that_we_install() -> None:
    assert callable(Worker._on_sigint)
    assert callable(Worker._on_sigterm)


@pytest.mark.parametrize(
    "name",
    ["_PARTITION_EOF", "_AUTO_OFFSET_RESET", "_QUEUE_FULL", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"],
)
def test_confluent_kafka_names_the_errors_that_we_look_for(name: str) -> None:
    assert isinstance(getattr(KafkaError, name), int)


def test_a_consumer_that_is_no_member_can_be_told_by_its_metadata() -> None:
    one, other = (Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}) for _ in range(2))
    try:
        assert isinstance(one.consumer_group_metadata(), bytes)
        assert one.consumer_group_metadata() == other.consumer_group_metadata()
    finally:
        one.close()
        other.close()


def test_a_batch_without_headers_can_be_produced_at_once() -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1"})

    assert producer.produce_batch("changelog", [{"key": b"k", "value": b"v"}, {"key": b"l", "value": None}], 0) == 2
    producer.purge()
