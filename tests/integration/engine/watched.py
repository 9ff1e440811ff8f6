"""Runs a worker's program, and writes to a file what its consumer has fetched, every fifth of a second.

    python -m tests.integration.engine.watched FILE PROGRAM ARGUMENTS...

A line is a JSON object: `at` (seconds), `fetched` (records since the start), `waiting` (records that the stage has not
taken), `waiting_bytes`.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import Any

from confluent_kafka import Consumer

from streaming.faust import settings as engine_settings

FILE, PROGRAM = sys.argv[1:3]


class Watched(Consumer):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__({**config, "statistics.interval.ms": 200, "stats_cb": _note})


def _note(text: str) -> None:
    told = json.loads(text)
    parts = [part for topic in told["topics"].values() for part in topic["partitions"].values()]
    line = {
        "at": told["time"],
        "fetched": sum(part["rxmsgs"] for part in parts),
        "waiting": max((part["fetchq_cnt"] for part in parts), default=0),
        "waiting_bytes": max((part["fetchq_size"] for part in parts), default=0),
    }
    with open(FILE, "a") as out:  # noqa: PTH123
        out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    vars(engine_settings)["Consumer"] = Watched
    sys.argv = sys.argv[2:]
    runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
