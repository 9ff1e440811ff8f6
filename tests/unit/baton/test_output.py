"""An output that cannot be written ends a command in a line, and a reader that has gone in an exit code of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ["check", "check --json", "--help", "failed list --help", "--version", "route --dry-run leads.jsonl"]
RICH = "from baton.cli import answers, output; output.say_plainly(); answers.console().print('x')"
CUT = "import os, sys; from baton.cli import output; output.say_plainly()"
CUT += "; print('x' * int(sys.argv[1]), end=''); os._exit(0)"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    lead = '{"lead_id":"l-1","event_id":"e-1","fit":90,"engagement":60,"grade":"A1","stage":"mql","segments":[],'
    lead += '"person":{"country":"DE"},"rules_hash":"x","as_of":"2026-11-02T09:00:00Z"}\n'
    (tmp_path / "leads.jsonl").write_text(lead * 3)
    return tmp_path


def shell(words: str, place: Path) -> subprocess.CompletedProcess[str]:
    """What a shell says of it; $baton is the command."""
    baton = f"{sys.executable} -m baton"
    here = Path(__file__).parents[3]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
    environment |= {"BATON_CONFIG_DIR": str(here / "config"), "PYTHONPATH": str(here)}
    line = ["bash", "-c", f"set -o pipefail; {words.replace('$baton', baton)}"]
    return subprocess.run(line, capture_output=True, text=True, cwd=place, env=environment, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("where", "why"), [("> /dev/full", "No space left on device"), (">&-", "it is closed")])
def test_an_output_that_cannot_be_written_is_said_in_a_line(place: Path, command: str, where: str, why: str) -> None:
    said = shell(f"$baton {command} {where}", place)

    mend = "Send it to where there is room, or to a file"
    assert (said.returncode, said.stderr) == (2, f"baton: cannot write to standard output: {why}. {mend}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_answer_of_no(place: Path, command: str) -> None:
    said = shell(f"sleep 0.1 | $baton {command} | true", place)

    assert (said.returncode, said.stderr) == (141, "")


def test_an_output_that_is_read_to_its_end_is_whole(place: Path) -> None:
    assert shell("$baton check --json | cat", place).stdout == shell("$baton check --json", place).stdout == "[]\n"


def test_what_cannot_be_said_at_all_is_an_exit_code(place: Path) -> None:
    assert shell("$baton failed list --since '' 2> /dev/full", place).returncode == 2


def test_a_table_for_people_is_ended_by_the_same_errors(place: Path) -> None:
    said = shell(f'{sys.executable} -c "{RICH}" | sleep 0', place)

    assert "ReaderGone" in said.stderr


def test_what_uses_no_output_may_have_none(place: Path) -> None:
    said = shell("$baton failed list --since '' >&-", place)

    assert (said.returncode, "standard output" in said.stderr) == (2, False)


@pytest.mark.parametrize("python", [f"PYTHONUNBUFFERED=1 {sys.executable}", f"{sys.executable} -u"])
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_an_output_that_is_not_to_be_buffered_is_written_at_once_and_whole(place: Path, python: str, size: int) -> None:
    said = shell(f'{python} -c "{CUT}" {size} | (sleep 0.1; cat)', place)

    assert (len(said.stdout), said.stderr) == (size, "")
