"""The whole path on the embedded servers, as a newcomer starts it."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

CONFIG = Path(__file__).parents[3] / "config"
PATIENCE = 100.0


class Up:
    """`baton up --json`, with what it says."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
        self.environment |= dict.fromkeys(("BATON_COLLECTOR_PORT", "BATON_SALES_PORT", "BATON_METRICS_PORT"), "0")
        self.environment |= {"BATON_DATA_DIR": str(home), "BATON_CONFIG_DIR": str(CONFIG)}
        command = [sys.executable, "-m", "baton", "up", "--json", *arguments]
        self.errors = (home.parent / f"{home.name}.err").open("ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, env=self.environment)
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def first(self) -> dict[str, Any]:
        return self.lines.get(timeout=PATIENCE)

    def hears(self, event: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            said = self.lines.get(timeout=PATIENCE)
            if said["event"] == event:
                return said
        raise AssertionError(f"no {event}")

    def baton(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "baton", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=PATIENCE)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.errors.close()


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="baton-up-"))
    path.chmod(0o755)
    yield path / "data"
    shutil.rmtree(path, ignore_errors=True)


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_the_demo_routes_leads_stops_in_order_and_goes_on_at_the_next_start(home: Path) -> None:
    up = Up(home, "--demo")
    try:
        ready = up.first()
        assert ready["event"] == "ready"
        assert set(ready["pids"]) == {"collector", "sales", "ingest", "scoring", "routing"}
        routed = up.hears("routed")
        assert routed["rep"]
        family = children(up.process.pid)
        metrics = [httpx.get(url, timeout=10).text for url in ready["metrics"]]
        assert any('baton_records_total{outcome="processed",stage="scoring"}' in text for text in metrics)

        second = up.baton("up")
        assert second.returncode == 1
        assert "already up" in second.stderr
        status = json.loads(up.baton("status", "--json").stdout)
        assert {name: ok for name, ok in status["ready"].items() if not ok} == {}
        rows = {cells[0]: cells for cells in (line.split("\t") for line in up.baton("status").stdout.splitlines())}
        assert (rows["sales"][1], rows["sales"][-1]) == ("yes", str(ready["pids"]["sales"][0]))
        assert json.loads(up.baton("db", "upgrade", "--json").stdout) == {"up_to_date": True}
    finally:
        code = up.stop()

    assert code == 0
    assert up.baton("status").returncode == 1
    assert [process for process in family if process.is_running() and process.status() != "zombie"] == []

    again = Up(home, "--demo")
    try:
        assert again.first()["kafka"] == ready["kafka"]
        assert again.hears("routed")["assignment_id"] != routed["assignment_id"]
        failed = again.baton("failed", "list", "--json")
        assert failed.returncode == 0, failed.stderr
        assert json.loads(failed.stdout) == []
    finally:
        assert again.stop() == 0


def test_an_own_lead_comes_from_a_form_to_a_rep_and_is_explained(home: Path) -> None:
    up = Up(home)
    try:
        ready = up.first()
        form = {
            "email": "Kim@Acme.example", "full_name": "Kim Doe", "job_title": "VP Sales", "company": "Acme",
            "employees": "1200", "country": "Germany", "event_type": "demo_requested",
        }  # fmt: skip
        answer = httpx.post(f"{ready['collector']}/v1/forms/website", data=form, timeout=10)
        assert answer.status_code == 202, answer.text
        assert up.hears("routed")["queue"] == "emea-enterprise"

        page = up.baton("explain", "kim@acme.example")
        assert page.returncode == 0, page.stderr
        told = json.loads(up.baton("explain", "kim@acme.example", "--json").stdout)
        nobody = up.baton("explain", "nobody@acme.example")
    finally:
        assert up.stop() == 0

    assert "Kim Doe" in page.stdout
    assert "sends it to the queue emea-enterprise" in page.stdout
    assert told["assignment"]["rep"] in ("ana", "bo")
    assert [one["event"]["type"] for one in told["events"]] == ["demo_requested"]
    assert nobody.returncode == 1
    assert "nobody knows" in nobody.stderr


def test_what_a_killed_one_leaves_is_picked_up(home: Path) -> None:
    up = Up(home)
    up.first()
    family = children(up.process.pid)
    up.process.kill()
    up.process.wait()
    again = Up(home)
    try:
        assert again.first()["event"] == "ready"
    finally:
        assert again.stop() == 0
    assert [process for process in family if process.is_running() and process.status() != "zombie"] == []


def test_a_dead_worker_is_started_again_and_that_is_said(home: Path) -> None:
    up = Up(home)
    try:
        ready = up.first()
        os.kill(ready["pids"]["scoring"][0], signal.SIGKILL)
        assert "scoring-1 died (signal SIGKILL)" in up.hears("notice")["text"]
        assert "scoring-1 is started again" in up.hears("notice")["text"]
        event = {
            "event_id": "after-1", "type": "demo_requested", "occurred_at": "2026-11-02T09:00:00Z",
            "source": "website", "subject": {"email": "after@death.example"},
        }  # fmt: skip
        assert httpx.post(f"{ready['collector']}/v1/events", json=event, timeout=10).status_code == 202
        assert up.hears("routed")["queue"] == "general"
    finally:
        assert up.stop() == 0
