"""The examples' four files are without faults, and their rules do what their comments say."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.ingest import sources
from services.routing import plan
from services.scoring import ruleset

EXAMPLES = Path(__file__).parents[3] / "config" / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/scoring.yaml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_examples_files_have_no_faults(folder: Path) -> None:
    rules = ruleset.load(folder / "scoring.yaml")
    routes = plan.load(folder / "routing.yaml", folder / "roster.yaml")

    assert sources.load(folder / "sources.yaml", {}).notices == ()
    assert rules is not None
    assert routes.queues
