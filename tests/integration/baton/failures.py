"""`baton failed`, as tests ask for it."""

from __future__ import annotations

import json
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
