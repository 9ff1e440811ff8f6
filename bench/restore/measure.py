"""One way to have a state again, in a process of its own. Prints what it took, as JSON.

python -m bench.restore.measure WAY BOOTSTRAP TOPIC PARTITIONS FOLDER KEYS
"""

from __future__ import annotations

import gc
import json
import random
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any

import psutil
from confluent_kafka import Consumer

from bench.restore.fill import key
from streaming.faust.assignment import Partition
from streaming.faust.cluster import identity
from streaming.faust.local_state import LocalState
from streaming.faust.offsets import ends
from streaming.faust.restore import STEP_RECORDS, Restore
from streaming.faust.settings import EngineSettings, slot
from streaming.faust.worker import GC_THRESHOLDS
from streaming.partition import partition_of
from streaming.stage import Codec
from tests.waiting import until

GETS = 50_000
CODEC: Codec[Any] = Codec(lambda value: value, lambda data: data)
PLAIN = {"enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}


def loop(consumer: Consumer, topic: str, partitions: int) -> tuple[int, Sequence[Any]]:
    """What nobody who reads by confluent-kafka into dicts can do without."""
    consumer.assign([slot(topic, number, 0) for number in range(partitions)])
    states: list[dict[bytes, bytes]] = [{} for _ in range(partitions)]
    records, left = 0, partitions
    while left:
        for message in consumer.consume(STEP_RECORDS, 0.05):
            if message.error() is None:
                states[message.partition()][message.key()] = message.value()  # type: ignore[index,assignment]
                records += 1
            else:
                left -= 1
    consumer.close()
    return records, states


def engine(settings: EngineSettings, topic: str, partitions: int, *, files: bool) -> tuple[int, list[Partition]]:
    """As a worker does it; with `files` it takes up what lies on this machine's disk."""
    asker, parts = settings.offset_reader("read_uncommitted"), [Partition(number) for number in range(partitions)]
    local = LocalState(settings, topic, CODEC)
    for part in parts if not files else ():
        part.state.origin = identity(settings, topic)[0]
    while files and local.load_next(parts):
        pass
    restore = Restore(settings, topic, CODEC.loads, parts, ends(asker, topic, range(partitions)))
    while not restore.done:
        restore.step(0.05)
    restore.close()
    return restore.records, parts


def save(settings: EngineSettings, topic: str, parts: list[Partition]) -> float:
    """Write the files, as a running worker does; CPU seconds of it."""
    asker, local, cpu = settings.offset_reader("read_uncommitted"), LocalState(settings, topic, CODEC), process_time()
    for part in parts:
        part.running = True
        part.state.origin = part.state.origin or identity(settings, topic)[0]
    member: Any = SimpleNamespace(is_member=True, parts={part.number: part for part in parts})
    local.begin(asker, member, lambda _: None)

    def written() -> bool:
        local.tend(asker, member, lambda _: None)
        return all(part.state.frozen is None for part in parts)

    until(written, 600, "files")
    until(lambda: threading.active_count() == 1, 60, "memory to be given back")
    return process_time() - cpu


def main(way: str, bootstrap: str, topic: str, partitions: int, folder: Path, keys: int) -> None:
    settings = EngineSettings(bootstrap=bootstrap, group="bench", data_dir=folder, local_state_records=1)
    ways: dict[str, Callable[[], tuple[int, Sequence[Any]]]] = {
        "defaults": lambda: loop(Consumer({**settings.client(), "group.id": "b", **PLAIN}), topic, partitions),
        "loop": lambda: loop(settings.changelog_reader(), topic, partitions),
        "whole": lambda: engine(settings, topic, partitions, files=False),
        "files": lambda: engine(settings, topic, partitions, files=True),
    }
    gc.set_threshold(*GC_THRESHOLDS)
    process, cpu, start = psutil.Process(), process_time(), perf_counter()
    before = process.memory_info().rss
    records, states = ways[way]()
    told: dict[str, Any] = {"records": records, "seconds": perf_counter() - start, "cpu": process_time() - cpu}
    told["memory"] = process.memory_info().rss - before
    tables = [state.state.view() if isinstance(state, Partition) else state for state in states]
    wanted = [key(random.randrange(keys)) for _ in range(GETS)]
    asked = [(tables[partition_of(one, partitions)], one) for one in wanted]
    cpu = process_time()
    for table, one in asked:
        table.get(one)
    told["get"] = (process_time() - cpu) / GETS
    if way == "whole" and not any(folder.rglob("?.state")):
        told["save_cpu"] = save(settings, topic, list(states))
        told["memory_saved"] = process.memory_info().rss - before
    print(json.dumps({**told, "keys": keys}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]), int(sys.argv[6]))
