"""The four YAML files: where they are, and each one loaded by the service that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baton.refusal import Refusal

if TYPE_CHECKING:
    from services.ingest.source import Sources
    from services.routing.plan import Plan
    from services.scoring.rulebook import Ruleset

SOURCES, SCORING, ROUTING, ROSTER = "sources.yaml", "scoring.yaml", "routing.yaml", "roster.yaml"


def folder(directory: Path) -> Path:
    """The folder of the configuration. Raises `Refusal` where there is none."""
    if not directory.is_dir():
        raise Refusal(
            f"there is no folder `{directory}` with the configuration in {Path.cwd()}",
            "Run baton where the project's `config` is, or set BATON_CONFIG_DIR",
        )
    return directory


def sources(directory: Path) -> Sources:
    """`sources.yaml`. Raises `FaultyConfiguration`."""
    from services.ingest.sources import load

    return load(folder(directory) / SOURCES)


def ruleset(directory: Path) -> Ruleset:
    """`scoring.yaml`. Raises `FaultyConfiguration`."""
    from services.scoring.ruleset import load

    return load(folder(directory) / SCORING)


def plan(directory: Path) -> Plan:
    """`routing.yaml` and `roster.yaml`. Raises `FaultyConfiguration`."""
    from services.routing.plan import load

    return load(folder(directory) / ROUTING, directory / ROSTER)
