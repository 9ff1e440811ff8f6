"""A worker in a process of its own: counts the records of each key, as a test tells it by arguments."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import orjson

from streaming.faust.app import EngineSettings, make_app
from streaming.faust.worker import run
from streaming.stage import Batch, Codec, Stage


def count(batch: Batch[int]) -> None:
    """Each record's output says how many of its key came before it, itself included."""
    for record in batch.records:
        key, value = record.key() or b"", record.value() or b""
        seen = (batch.state.get(key) or 0) + 1
        batch.state.put(key, seen)
        if value == b"grow":
            batch.emit(OUT, key, b"x" * 1_500_000)
        else:
            batch.emit(OUT, key, b"%d" % seen, [("of", value)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "instance", "dir"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--max-records", type=int, default=50)
    told = parser.parse_args()
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    OUT = told.prefix + "counts"
    counting = Stage(
        "counting",
        told.prefix + "events",
        told.prefix + "counting.failed",
        count,
        changelog=told.prefix + "counting.state",
        codec=Codec(orjson.dumps, orjson.loads),
    )
    settings = EngineSettings(
        bootstrap=told.bootstrap,
        group=told.prefix + "counting",
        instance=told.instance,
        data_dir=Path(told.dir),
        session_timeout_seconds=6,
        max_records=told.max_records,
    )
    sys.exit(run(make_app(counting, settings, on_ready=lambda: print("ready", flush=True))))
