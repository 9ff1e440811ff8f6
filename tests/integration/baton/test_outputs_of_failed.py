"""`baton failed` with an output that cannot be written: a line, and nothing is sent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from schemas.topics import MARKETING_EVENTS
from tests.integration.baton.installation import Installation

pytestmark = pytest.mark.kafka


def shell(words: str) -> subprocess.CompletedProcess[bytes]:
    line = f"set -o pipefail; {sys.executable} -m baton failed {words}"
    return subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=False)


def test_all_of_it_refuses_an_output_that_cannot_be_written(here: Installation) -> None:
    here.fails("ingest", b"{}")
    [name] = here.ids()
    commands = ("list", "list --json", f"show {name}", f"show {name} --value", "export", f"replay {name}")
    full = [shell(f"{command} > /dev/full") for command in commands]
    closed = [shell(f"{command} >&-") for command in commands]

    assert {one.returncode for one in full + closed} == {2}
    assert {one.stderr.count(b"baton: cannot write to standard output: ") for one in full + closed} == {1}
    assert {one.stderr.count(b"\n") for one in full + closed} == {1}
    assert here.values(MARKETING_EVENTS) == []


def test_a_replay_that_is_done_says_so_where_its_output_cannot_be_written(here: Installation) -> None:
    here.fails("ingest", b"{}")
    said = shell("replay --all --json > /dev/full")

    assert said.returncode == 2
    assert b"No space left on device; 1 record was replayed. " in said.stderr
    assert here.values(MARKETING_EVENTS) == [b"{}"]
