"""State in RocksDB: a changelog read into it, or what a former process left. Prints what that took, as JSON.

    app.py BOOTSTRAP TOPIC PARTITIONS FOLDER KEYS whole|files

One database a partition, raw bytes, batches without RocksDB's own log, since the changelog is one.
"""

from __future__ import annotations

import gc
import json
import random
import sys
from pathlib import Path
from time import perf_counter, process_time
from uuid import UUID, uuid5

import psutil
from confluent_kafka import Consumer, TopicPartition
from rocksdict import Options, Rdict, WriteBatch, WriteOptions

from streaming.partition import partition_of

GETS, STEP = 50_000, 10_000
SPACE = UUID("8c5e1b0a-6c0f-4f0e-9d1c-5b7b3a3f0c11")
READER = {
    "group.id": "rocks",
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 50,
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 32_768,
}


def read(bootstrap: str, topic: str, stores: list[Rdict]) -> int:
    """The whole changelog, into the stores."""
    consumer = Consumer({"bootstrap.servers": bootstrap, **READER})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(len(stores))])
    unlogged = WriteOptions()
    unlogged.disable_wal = True
    records, left = 0, len(stores)
    while left:
        batches: dict[int, WriteBatch] = {}
        for message in consumer.consume(STEP, 0.05):
            if message.error() is not None:
                left -= 1
                continue
            number: int = message.partition()  # type: ignore[assignment]  # a record has one
            if number not in batches:
                batches[number] = WriteBatch(raw_mode=True)
            batches[number].put(message.key(), message.value())
            records += 1
        for number, batch in batches.items():
            stores[number].write(batch, unlogged)
    consumer.close()
    for store in stores:
        store.flush()
    return records


def main(bootstrap: str, topic: str, partitions: int, folder: Path, keys: int, how: str) -> None:
    gc.set_threshold(200_000, 50, 10_000)
    before, start, cpu = psutil.Process().memory_info().rss, perf_counter(), process_time()
    stores = [Rdict(str(folder / str(number)), Options(raw_mode=True)) for number in range(partitions)]
    records = read(bootstrap, topic, stores) if how == "whole" else 0
    seconds, cpu = perf_counter() - start, process_time() - cpu
    memory = psutil.Process().memory_info().rss - before
    wanted = [str(uuid5(SPACE, str(random.randrange(keys)))).encode() for _ in range(GETS)]
    asked = [(stores[partition_of(key, partitions)], key) for key in wanted]
    start_gets = process_time()
    for store, key in asked:
        store.get(key)
    gets = process_time() - start_gets
    for store in stores:
        store.close()
    told = {"records": records, "keys": keys, "seconds": seconds, "cpu": cpu, "memory": memory, "get": gets / GETS}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]), sys.argv[6])
