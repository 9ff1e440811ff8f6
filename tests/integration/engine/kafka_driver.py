"""The runner on Kafka: the engine's app in a thread of this process, and clients that share no code with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from streaming import metrics
from streaming.client import IN_FLIGHT, KafkaAddress
from streaming.faust.app import EngineSettings, StageApp, make_app
from streaming.stage import Message, RawHeaders, Stage
from streaming.topics import TopicSpec, apply, lag
from tests.integration.engine.drivers import MAX_RECORDS, PARTITIONS, Limits
from tests.waiting import until

WAIT = 40.0
RESUME_SECONDS = 0.5


class Running:
    """An app in a thread, from its start until `stop`."""

    def __init__(self, app: StageApp) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._main, name="app", daemon=True)
        self.thread.start()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.app.start())
        self.loop.run_forever()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.app.stop(), self.loop).result(WAIT)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT)
        self.loop.close()

    def check(self) -> None:
        reason = self.app.crash_reason
        assert reason is None, f"the app crashed: {reason!r}"


class KafkaDriver:
    def __init__(self, bootstrap: str, prefix: str, data_dir: Path) -> None:
        self.bootstrap, self.prefix, self.data_dir = bootstrap, prefix, data_dir
        self.stages: Sequence[Stage] = ()
        self.breaker: dict[str, Any] = {}
        self.running: Running | None = None
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "max.in.flight": IN_FLIGHT,
            }
        )
        self.before: dict[str, dict[str, float]] = {}

    def name(self, topic: str) -> str:
        return self.prefix + topic

    def start(self, *stages: Stage, **limits: Any) -> None:
        self.stages = stages
        told = Limits(**limits)
        self.breaker = {
            "breaker_consecutive": told.consecutive,
            "breaker_share": told.share,
            "breaker_window": told.window,
            "breaker_resume_seconds": RESUME_SECONDS if told.by_itself else 0.0,
        }
        names = {self.name("counts"), self.name("tallies")}
        for stage in stages:
            names |= {stage.source, stage.failed, *([stage.changelog] if stage.changelog else [])}
        apply(self.bootstrap, [TopicSpec(name, PARTITIONS) for name in sorted(names)])
        self.before = {stage.name: _counted(stage.name) for stage in stages}
        self.running = self._app()

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: RawHeaders = ()) -> None:
        self.producer.produce(topic, value, key, headers=list(headers))

    def settle(self) -> None:
        self.producer.flush(WAIT)
        for stage in self.stages:
            until(lambda stage=stage: self._behind(stage) == 0, WAIT, f"{stage.name} to settle")  # type: ignore[misc]

    def wait_for_stop(self, stage: str) -> str:
        self.producer.flush(WAIT)
        assert self.running is not None
        [breaker] = [e.status.breaker for e in self.running.app.engines if e.stage.name == stage]
        return until(lambda: breaker.reason, WAIT, f"{stage} to stop")

    def close_breaker(self, stage: str, allowance: int = 0) -> None:
        assert self.running is not None
        [engine] = [engine for engine in self.running.app.engines if engine.stage.name == stage]
        assert engine.close_breaker(allowance), f"{stage} does not stand still"
        until(lambda: engine.status.heeded, WAIT, f"{stage} to heed")

    def wait_for_trial(self) -> None:
        self.settle()

    def restart(self) -> None:
        self.stop()
        self.running = self._app()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
            self.running = None

    def records(self, topic: str) -> Sequence[Message]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        found: list[Message] = []
        try:
            consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
            ended: set[int | None] = set()
            deadline = monotonic() + WAIT
            while len(ended) < PARTITIONS and monotonic() < deadline:
                message = consumer.poll(1.0)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    found.append(cast("Message", message))
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended.add(message.partition())
            assert len(ended) == PARTITIONS, f"{topic} was not read to its end"
        finally:
            consumer.close()
        return found

    def committed(self, stage: str) -> int:
        [source] = [s.source for s in self.stages if s.name == stage]
        return sum(part.committed or 0 for part in lag(self.bootstrap, self._group(stage), [source]))

    def outcomes(self, stage: str) -> dict[str, float]:
        def since() -> dict[str, float]:
            now, before = _counted(stage), self.before[stage]
            return {outcome: n - before.get(outcome, 0.0) for outcome, n in now.items() if n != before.get(outcome)}

        until(lambda: sum(since().values()) >= self.committed(stage), WAIT, f"{stage} to count what it committed")
        return since()

    def _app(self) -> Running:
        settings = EngineSettings(
            bootstrap=self.bootstrap,
            group=self.prefix + "stages",
            instance=self.prefix + "worker",
            data_dir=self.data_dir,
            idle_seconds=0.05,
            max_records=MAX_RECORDS,
            **self.breaker,
        )
        ready = threading.Event()
        running = Running(make_app(self.stages, settings, on_ready=ready.set))
        deadline = monotonic() + WAIT
        while not ready.wait(0.05):
            running.check()
            assert monotonic() < deadline, f"not ready: {running.app.readiness.as_json()}"
        return running

    def _group(self, stage: str) -> str:
        return f"{self.prefix}stages" + (f"-{stage}" if len(self.stages) > 1 else "")

    def _behind(self, stage: Stage) -> int:
        assert self.running is not None
        self.running.check()
        positions = None
        if stage.store is not None:
            at = {(stage.source, n): stage.store.position(stage.source, n) for n in range(PARTITIONS)}
            positions = {slot: offset for slot, offset in at.items() if offset is not None}
        behind = lag(KafkaAddress.parse(self.bootstrap), self._group(stage.name), [stage.source], committed=positions)
        return sum(part.records for part in behind)


def _counted(stage: str) -> dict[str, float]:
    """`baton_records_total` of a stage, by outcome."""
    return {
        sample.labels["outcome"]: sample.value
        for family in metrics.RECORDS.collect()
        for sample in family.samples
        if sample.labels.get("stage") == stage and sample.name == "baton_records_total"
    }
