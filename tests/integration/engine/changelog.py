"""A changelog of a test, who writes it, and workers' lives that restore from it and leave files behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streaming.faust.assignment import Partition
from streaming.faust.local_state import LocalState
from streaming.faust.offsets import ends
from streaming.faust.restore import Restore
from streaming.faust.settings import EngineSettings
from streaming.stage import Codec
from tests.integration.engine.place import WAIT
from tests.waiting import until

PARTITIONS = 2
CODEC: Codec[Any] = Codec(bytes, bytes)
Writes = Mapping[bytes, bytes | None]


class Changelog:
    """A changelog, who writes it, and workers' lives that restore from it and leave files behind."""

    def __init__(self, bootstrap: str, topic: str, home: Path) -> None:
        self.topic, self.home = topic, home
        self.settings = EngineSettings(bootstrap=bootstrap, group=topic, data_dir=home, local_state_records=1)
        self.admin = AdminClient(self.settings.client())
        self.asker = self.settings.offset_reader("read_uncommitted")
        self.producer: Producer = self.settings.transactional_producer(topic)
        self.producer.init_transactions(WAIT)
        self.read = 0

    def make(self, **config: str) -> None:
        until(lambda: self._made(config), WAIT, f"{self.topic} to be made")

    def _made(self, config: Mapping[str, str]) -> bool:
        if self.topic in self.admin.list_topics(timeout=10).topics:
            return True
        name = {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(self.topic, PARTITIONS, 1, config={"cleanup.policy": "compact", **name})
        self.admin.create_topics([topic])
        return False

    def remove(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result()
        until(lambda: self.topic not in self.admin.list_topics(timeout=10).topics, WAIT, f"{self.topic} to go")

    def write(self, writes: Writes, *, commit: bool = True) -> None:
        self.producer.begin_transaction()
        for key, value in writes.items():
            self.producer.produce(self.topic, value, key, key[-1] % PARTITIONS)
        if commit:
            self.producer.commit_transaction(WAIT)
        else:
            self.producer.flush(WAIT)
            self.producer.abort_transaction(WAIT)

    def life(self, *, local: bool = True) -> list[Partition]:
        """A worker's start; `read` says afterwards how many records it has read."""
        parts = [Partition(number) for number in range(PARTITIONS)]
        if local:
            found = LocalState(self.settings, self.topic, CODEC)
            while found.load_next(parts):
                pass
        restore = Restore(
            self.settings, self.topic, CODEC.loads, parts, ends(self.asker, self.topic, range(PARTITIONS))
        )

        def done() -> bool:
            restore.step(0.1)
            return restore.done

        until(done, WAIT, "the state to be restored")
        restore.close()
        self.read = restore.records
        for part in parts:
            part.running = True
        return parts

    def save(self, parts: Sequence[Partition]) -> None:
        local = LocalState(self.settings, self.topic, CODEC)
        local.begin(self.asker, member(parts), lambda _: None)
        local.close(WAIT)

    def files(self) -> list[Path]:
        return sorted(self.home.rglob("?.state"))

    def check(self) -> None:
        """With files or without, the state is the same."""
        assert contents(self.life()) == contents(self.life(local=False))


def member(parts: Sequence[Partition]) -> Any:
    return SimpleNamespace(is_member=True, parts={part.number: part for part in parts})


def contents(parts: Sequence[Partition]) -> list[dict[bytes, Any]]:
    return [part.state.contents() for part in parts]


def values(count: int, word: bytes = b"value") -> dict[bytes, bytes | None]:
    return {b"key %d" % n: b"%s %d" % (word, n) for n in range(count)}
