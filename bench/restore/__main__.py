"""`python -m bench.restore`: ways to have a state again, interleaved on one real Kafka, and the page about them.

Environment: `BENCH_KEYS` (1000000), `BENCH_ROUNDS` (3), `BENCH_WRITE=no` to leave the page as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.environments import PEERS, make_venv
from bench.restore.fill import fill, profiles
from bench.restore.page import show, write
from bench.running import ROOT, venv_python
from streaming.faust.settings import EngineSettings
from tests.brokers import java_broker
from tests.kafka.jars import Unavailable

TOPIC, PARTITIONS = "scoring.state", 8
WAYS = ("defaults", "loop", "whole", "files", "rocks whole", "rocks files")
Took = dict[str, list[dict[str, Any]]]


def measured(bootstrap: str, home: Path, keys: int, rounds: int) -> Took:
    """What each way took, by rounds."""
    took: Took = {way: [] for way in WAYS}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in range(rounds):
        folder = home / f"round-{number}"
        (folder / "rocks").mkdir(parents=True)
        for way in WAYS:
            *peer, how = way.split()
            told = [bootstrap, TOPIC, str(PARTITIONS), str(folder / "rocks" if peer else folder), str(keys)]
            command = [venv_python("rocksdict"), str(PEERS / "rocksdict" / "app.py"), *told, how]
            if not peer:
                command = [sys.executable, "-m", "bench.restore.measure", how, *told]
            done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            took[way].append({**json.loads(done.stdout), "load": os.getloadavg()[0]})
            print(f"round {number + 1}  {way}: {json.dumps(took[way][-1])}", flush=True)
        shutil.rmtree(folder)
    return took


def main() -> int:
    """The command line."""
    keys, rounds = int(os.environ.get("BENCH_KEYS", "1000000")), int(os.environ.get("BENCH_ROUNDS", "3"))
    make_venv("rocksdict")
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        home = Path(folder)
        try:
            with java_broker(home, "") as broker:
                settings = EngineSettings(bootstrap=broker.bootstrap, group="bench")
                records = fill(settings, TOPIC, PARTITIONS, keys)
                print(f"{broker.name}; {records:,} records of {keys:,} keys", flush=True)
                took = measured(broker.bootstrap, home, keys, rounds)
        except Unavailable as reason:
            print(f"the bench needs a real Kafka of its own: {reason}")
            return 2
    payload = sum(map(len, profiles())) / len(profiles()) + 36
    print(show(took, keys))
    if os.environ.get("BENCH_WRITE", "yes") != "no":
        write(took, keys, payload)
    return 0


if __name__ == "__main__":
    sys.exit(main())
