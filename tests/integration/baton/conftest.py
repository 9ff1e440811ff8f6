"""An installation without workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from baton import provisioning
from baton.settings import Settings
from tests.integration.baton.installation import Installation


@pytest.fixture
def here(kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    for name in list(os.environ):
        if name.startswith("BATON_") and not name.startswith("BATON_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BATON_KAFKA", kafka)
    monkeypatch.setenv("BATON_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    settings = Settings(partitions=3)
    provisioning.apply_topics(settings, [])
    return Installation(settings)
