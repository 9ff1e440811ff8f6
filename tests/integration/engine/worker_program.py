"""A worker in a process of its own: counts the records of each key, as a test tells it by arguments."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Producer

from streaming.faust import settings as engine_settings
from streaming.faust.app import EngineSettings, make_app
from streaming.faust.owners import FormerOwners
from streaming.faust.worker import run
from streaming.stage import Batch, Codec, Stage, Store

WAKE = "awake"
"""The file, beside a worker's own folder, until which one that stands still does nothing."""


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


def carry(batch: Batch[None]) -> None:
    """The same of records whose values count on over 40 keys, without any state."""
    for record in batch.records:
        value = record.value() or b""
        batch.emit(OUT, record.key(), b"%d" % (int(value) // 40 + 1), [("of", value)], lane=record.partition())


def stand_still() -> None:
    """Freeze, here. On a busy machine a thread runs on for a moment after it has stopped its process: not from here."""
    os.kill(os.getpid(), signal.SIGSTOP)
    while not Path(told.dir).with_name(WAKE).exists():
        time.sleep(0.01)


def doze(batch: Batch[Any]) -> None:
    """The handler that stands still, its records in hand, when it is first called."""
    if told.fate == "doze":
        told.fate = ""
        stand_still()
    (carry if told.no_state else count)(batch)


def ledger(url: str) -> Store:
    """One that waits but a moment for somebody who stands still."""
    from services.routing.ledger import Ledger, connection

    connection.LOCK_TIMEOUT_MS, connection.IDLE_TIMEOUT_MS = 500, 2_000
    return Ledger.at(url)


class Struck(Producer):
    """A producer that something befalls in the middle of a transaction: all is sent, nothing is committed."""

    left, fate = 0, ""

    def send_offsets_to_transaction(self, *args: Any) -> None:
        Struck.left -= 1
        if Struck.left == 0 and self.fate == "hang":
            threading.Event().wait()
        super().send_offsets_to_transaction(*args)
        if Struck.left == 0:
            self.flush(10)
            print(f"{self.fate} with a transaction open", flush=True)
            if self.fate == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            stand_still()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "prefix", "instance", "dir"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--max-records", type=int, default=50)
    parser.add_argument("--local-state-seconds", type=float, default=300)
    parser.add_argument("--local-state-records", type=int, default=10_000)
    parser.add_argument("--session-timeout", type=float, default=6.0)
    parser.add_argument("--transaction-timeout", type=float, default=10.0)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the clients")
    parser.add_argument("--no-state", action="store_true")
    parser.add_argument("--database", help="of a ledger that has the positions; without state alone")
    parser.add_argument("--spare", action="store_true", help="take no transactional id of a former owner")
    parser.add_argument(
        "--fate", choices=["hang", "freeze", "die", "doze"], help="what befalls it in a transaction; doze: in a handler"
    )
    parser.add_argument(
        "--after", type=int, default=3, help="in which; the first claims the partitions, the second marks them"
    )
    told = parser.parse_args()
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel("WARNING")
    OUT = told.prefix + "counts"
    counting = Stage(
        "counting",
        told.prefix + "events",
        told.prefix + "counting.failed",
        doze,
        changelog=None if told.database else told.prefix + "counting.state",
        codec=None if told.no_state else Codec(orjson.dumps, orjson.loads),
        store=ledger(told.database) if told.database else None,
    )
    settings = EngineSettings(
        bootstrap=told.bootstrap,
        group=told.prefix + "counting",
        instance=told.instance,
        data_dir=Path(told.dir),
        session_timeout_seconds=told.session_timeout,
        transaction_timeout_seconds=told.transaction_timeout,
        max_records=told.max_records,
        local_state_seconds=told.local_state_seconds,
        local_state_records=told.local_state_records,
        librdkafka=dict(option.split("=", 1) for option in told.option),
    )
    if told.fate and told.fate != "doze":
        Struck.left, Struck.fate = told.after, told.fate
        vars(engine_settings)["Producer"] = Struck
    if told.spare:
        FormerOwners.abort = lambda *_: None  # type: ignore[method-assign]
    sys.exit(run(make_app(counting, settings, on_ready=lambda: print("ready", flush=True))))
