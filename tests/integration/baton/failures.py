"""`baton failed`, as tests ask for it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

from typer.testing import CliRunner

from baton.cli import app


def baton(*arguments: str) -> Any:
    """The result of `baton failed` with these arguments."""
    return CliRunner().invoke(app, ["failed", *arguments])


def told(*arguments: str) -> Any:
    """What it answers, as JSON."""
    result = baton(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def on_a_terminal(*arguments: str, answer: bytes, columns: int = 150) -> tuple[int, str]:
    """A command with a terminal for all three streams: its exit code, and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "baton", "failed", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=os.environ | {"COLUMNS": str(columns)},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
            if answer and b"[y/N]" in shown:
                os.write(ours, answer)
                answer = b""
    except OSError:  # the terminal of a process that has ended
        pass
    finally:
        os.close(ours)
    return process.wait(60), shown.decode()
