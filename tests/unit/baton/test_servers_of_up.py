from __future__ import annotations

from pathlib import Path

import pytest

from baton.settings import Settings
from baton.up.servers import Servers

pytestmark = pytest.mark.usefixtures("clean_environment")
KAFKA, DATABASE = "127.0.0.1:9092", "postgresql://baton@127.0.0.1/baton"


@pytest.mark.parametrize(
    ("given", "started"),
    [
        ({}, ["broker", "database"]),
        ({"kafka": KAFKA}, ["database"]),
        ({"database_url": DATABASE}, ["broker"]),
        ({"kafka": KAFKA, "database_url": DATABASE}, []),
    ],
)
def test_only_what_is_not_given_is_said_to_be_started(
    given: dict[str, str], started: list[str], tmp_path: Path
) -> None:
    said: list[str] = []
    servers = Servers(Settings.model_validate(given), tmp_path, said.append)

    assert servers.embedded == started
