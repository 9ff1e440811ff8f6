"""An environment that is the same on every machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests: the configuration that ships, and a data folder where nothing is up."""
    for name in list(os.environ):
        if name.startswith("BATON_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BATON_CONFIG_DIR", str(CONFIG))
