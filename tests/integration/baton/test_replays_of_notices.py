"""What platforms gave notice of, and no event came of, stands among the failed records of ingest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from baton.cli import app
from schemas.topics import MARKETING_EVENTS
from tests.integration.baton.installation import Installation

pytestmark = pytest.mark.kafka


def replay(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["failed", "replay", *arguments])


def test_a_platform_s_notice_is_no_record_and_goes_back_only_as_an_event(here: Installation, tmp_path: Path) -> None:
    here.fails("ingest", b'{"leadAction":"DELETED"}', b"notice", reason="lead_deleted", partition=-1, offset=-1)
    [notice] = here.ids()
    every = json.loads(replay("--all", "--json").output)
    named = replay(notice)
    nothing_came_back = here.holds(MARKETING_EVENTS) == []
    (tmp_path / "patch.json").write_text('[{"op": "add", "path": "/event_id", "value": "e-1"}]')
    edited = replay(notice, "--edit", str(tmp_path / "patch.json"))

    assert (every["replayed"], every["notices"], every["left_out"]) == (0, 1, 0)
    assert named.exit_code == 1
    assert "it is a platform's notice" in named.output
    assert nothing_came_back
    assert edited.exit_code == 0
    assert here.values(MARKETING_EVENTS) == [b'{"leadAction":"DELETED","event_id":"e-1"}']
