"""A running `baton up`, as a child process whose announcements can be waited for."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

BATCH = 500


class Running:
    """`baton up --json` on servers of the test, with `environment` on top; every port is a free one."""

    def __init__(self, home: Path, environment: Mapping[str, str], workers: str) -> None:
        self._log = (home / "up.log").open("wb")
        bare = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
        ports = dict.fromkeys(("BATON_COLLECTOR_PORT", "BATON_SALES_PORT", "BATON_METRICS_PORT"), "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "baton", "up", "--json", "--workers", workers],
            stdout=subprocess.PIPE, stderr=self._log, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**bare, **ports, "BATON_DATA_DIR": str(home / "data"), **environment},
        )  # fmt: skip
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(json.loads(line))

    def hears(self, event: str, seconds: float) -> dict[str, Any]:
        """The next announcement of a kind. Raises `queue.Empty` where none comes for that long."""
        while True:
            said = self._said.get(timeout=seconds)
            if said.get("event") == event:
                return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.stop()
        self._log.close()

    def stop(self) -> int:
        """SIGTERM, and the exit code; whoever does not end within 90 s is killed, with all children."""
        self.process.terminate()
        try:
            return self.process.wait(90)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait(30)


def post(collector: str, events: list[dict[str, Any]]) -> list[str]:
    """Send events through the door in batches, and give the ids that it took."""
    taken: list[str] = []
    with httpx.Client(base_url=collector, timeout=60) as client:
        for first in range(0, len(events), BATCH):
            answer = client.post("/v1/events", json=events[first : first + BATCH])
            assert answer.status_code == 202, answer.text
            taken += answer.json()["event_ids"]
    return taken
