"""A data folder may be named in any way that the file system takes."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Running, post

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(200)]

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="baton-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_lead_reaches_its_queue_where_the_data_folder_has_an_odd_name(home: Path) -> None:
    data = str(home / "data dir a+b&c%20d ä")
    event = {
        "event_id": "odd-1", "type": "demo_requested", "occurred_at": "2026-11-02T09:00:00Z",
        "source": "website", "subject": {"email": "kim@acme.example"},
    }  # fmt: skip
    environment = {"BATON_DATA_DIR": data, "BATON_CONFIG_DIR": str(CONFIG)}
    with Running(home, environment, "") as running:
        ready = running.hears("ready", 100)
        post(ready["collector"], [event])
        routed = running.hears("routed", 60)
        command = [sys.executable, "-m", "baton", "explain", "kim@acme.example"]
        page = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
        code = running.stop()

    assert code == 0
    assert ready["data_dir"] == data
    assert routed["queue"] == "general"
    assert "queue general" in page.stdout, page.stderr
