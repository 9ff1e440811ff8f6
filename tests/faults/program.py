"""A worker that sums the events of each key, its state in Kafka or in the ledger, and is slow when a file says so."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from streaming.client import KafkaAddress
from streaming.faust.app import EngineSettings, StageApp, make_app
from streaming.faust.worker import run
from streaming.stage import Batch, Codec, Stage

MODULUS = (1 << 61) - 1


class Sum(NamedTuple):
    """How many events a key has had, and a checksum of them in their order. The judge has lines of its own for it."""

    count: int = 0  # type: ignore[assignment]  # tuple.count is of no use here
    checksum: int = 0

    def plus(self, event: int) -> Sum:
        return Sum(self.count + 1, (self.checksum * 1_000_003 + event + 1) % MODULUS)


NOTHING = Sum()
CODEC: Codec[Sum] = Codec(lambda one: orjson.dumps(list(one)), lambda data: Sum(*orjson.loads(data)))
_READ = text("SELECT key, count, checksum FROM sums WHERE key = ANY(CAST(:keys AS bytea[]))")
_WRITE = text("""
    INSERT INTO sums (key, count, checksum)
    SELECT * FROM unnest(CAST(:keys AS bytea[]), CAST(:counts AS bigint[]), CAST(:checksums AS bigint[]))
    ON CONFLICT (key) DO UPDATE SET count = excluded.count, checksum = excluded.checksum
""")
TOO_MUCH = b"x" * 1_500_000
OPERATOR_SECONDS, LET_PASS = 5.0, 400
"""A stage that its breaker has stopped is told to go on after so long, and how many failures may pass then."""


class Summing:
    """The handler, with the files by which it is told to be slow."""

    def __init__(self, prefix: str, slow: Path, pause: float, large: bool) -> None:
        self.out, self.side, self.slow, self.pause, self.large = prefix + "out", prefix + "side", slow, pause, large

    def in_kafka(self, batch: Batch[Sum]) -> None:
        self._wait(len(batch.records))
        for record in batch.records:
            state = self._take(batch, record, batch.state.get(record.key() or b"") or NOTHING)
            if state == NOTHING:
                batch.state.delete(record.key() or b"")
            elif state is not None:
                batch.state.put(record.key() or b"", state)

    def in_ledger(self, batch: Batch[Any]) -> None:
        self._wait(len(batch.records))
        keys = sorted({record.key() or b"" for record in batch.records})
        connection = batch.unit.connection
        known = {bytes(row.key): Sum(row.count, row.checksum) for row in connection.execute(_READ, {"keys": keys})}
        changed: dict[bytes, Sum] = {}
        for record in batch.records:
            key = record.key() or b""
            state = self._take(batch, record, changed.get(key) or known.get(key) or NOTHING)
            if state is not None:
                changed[key] = state
        if changed:
            rows = {
                "keys": list(changed),
                "counts": [state.count for state in changed.values()],
                "checksums": [state.checksum for state in changed.values()],
            }
            connection.execute(_WRITE, rows)

    def _take(self, batch: Batch[Any], record: Any, state: Sum) -> Sum | None:
        value = record.value() or b""
        if value.startswith(b"!"):
            batch.fail(record, "schema_violation", "the event is bad")
            return None
        if value.startswith(b"?"):
            raise ZeroDivisionError("the handler stumbles over this event")
        if value.startswith(b"-"):  # what is kept of the key is to be forgotten
            state, value = NOTHING, value[1:]
        else:
            state = state.plus(int(value.lstrip(b"+")))
        if value.startswith(b"+"):
            if self.large:
                batch.emit(self.out, record.key(), TOO_MUCH, lane=record.partition())
                return state
            value = value[1:]
        batch.emit(self.out, record.key(), b"%d %d %s" % (*state, value), lane=record.partition())
        batch.emit(self.side, record.key(), value, lane=record.partition())
        return state

    def _wait(self, records: int) -> None:
        try:
            seconds = float(self.slow.read_text())
            self.slow.unlink()
        except (FileNotFoundError, ValueError):
            seconds = 0.0
        time.sleep(seconds + records * self.pause)


def operate(app: StageApp) -> None:
    """Be the operator: a burst that opens the breaker does so again and again, until somebody says that it may pass."""
    while True:
        time.sleep(OPERATOR_SECONDS)
        if any(engine.status.breaker.is_open for engine in app.engines):
            app.close_breakers(LET_PASS)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "source", "instance", "dir"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--database")
    parser.add_argument("--pause", type=float, default=0.003)
    told = parser.parse_args()
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel("WARNING")
    settings = EngineSettings(
        bootstrap=told.bootstrap,
        group=told.prefix + "sums",
        instance=told.instance,
        data_dir=Path(told.dir),
        session_timeout_seconds=6,
        poll_interval_seconds=20,
        max_records=40,
        breaker_resume_seconds=3,
        local_state_seconds=10,
        local_state_records=100,
    )
    names = {"name": "sums", "source": told.prefix + told.source, "failed": told.prefix + "sums.failed"}
    summing = Summing(told.prefix, Path(told.dir) / f"{told.instance}.slow", told.pause, large=not told.database)
    if told.database is None:
        stage = Stage(**names, handler=summing.in_kafka, changelog=told.prefix + "sums.state", codec=CODEC)
        return _run(make_app(stage, settings))

    from services.routing.ledger import Ledger
    from services.routing.relay import kafka_relay

    ledger = Ledger.at(told.database)
    relay = kafka_relay(ledger, KafkaAddress.parse(told.bootstrap), told.prefix)
    try:
        relay.start()
        return _run(make_app(Stage(**names, handler=summing.in_ledger, store=ledger), settings))
    finally:
        relay.stop()
        ledger.close()


def _run(app: StageApp) -> int:
    threading.Thread(target=operate, args=[app], name="operator", daemon=True).start()
    return run(app)


if __name__ == "__main__":
    sys.exit(main())
