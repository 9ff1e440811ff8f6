"""A worker with two stages in one process: what the first publishes, the second takes. Each keeps a state."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import orjson

from streaming.faust.app import EngineSettings, make_app
from streaming.faust.worker import run
from streaming.probes import Probes, Readiness
from streaming.stage import Batch, Codec, RecordError, Stage
from tests.integration.engine.chain import LIMIT, chained

told = argparse.Namespace()


def count(batch: Batch[int]) -> None:
    """The output of each record says how many of its key came before it, itself included."""
    for record in batch.records:
        key, value = record.key() or b"", record.value() or b""
        seen = (batch.state.get(key) or 0) + 1
        batch.state.put(key, seen)
        batch.emit(told.prefix + "counts", key, b"%d" % seen, [("of", value)])


def link(batch: Batch[list[int]]) -> None:
    """A sum of what came of each key, which another order makes another one; some records it cannot take."""
    for record in batch.records:
        key, of = record.key() or b"", dict(record.headers() or ())["of"]
        assert of is not None
        if of.startswith(b"bad"):
            raise RecordError("bad", "of: says so")
        number, total = batch.state.get(key) or (0, 0)
        number, total = number + 1, chained(total, int(record.value() or b""))
        batch.state.put(key, [number, total])
        batch.emit(told.prefix + "sums", key, b"%d %d" % (number, total), [("of", of)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "instance", "dir"):
        parser.add_argument(f"--{name}", required=True)
    parser.parse_args(namespace=told)
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel("WARNING")
    stages = [
        Stage(
            name,
            told.prefix + source,
            f"{told.prefix}{name}.failed",
            handler,
            changelog=f"{told.prefix}{name}.state",
            codec=Codec(orjson.dumps, orjson.loads),
        )
        for name, source, handler in (("counting", "events", count), ("linking", "counts", link))
    ]
    settings = EngineSettings(
        bootstrap=told.bootstrap,
        group=told.prefix + "both",
        instance=told.instance,
        data_dir=Path(told.dir) / told.instance,
        session_timeout_seconds=6,
        max_records=20,
        breaker_consecutive=LIMIT,
        breaker_resume_seconds=0,
    )
    readiness = Readiness()
    app = make_app(stages, settings, readiness=readiness, on_ready=lambda: print("ready", flush=True))
    probes = Probes(readiness, close_breakers=app.close_breakers)
    print(f"probes at {probes.url}", flush=True)
    sys.exit(run(app, probes))
