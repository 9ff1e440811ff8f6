"""The kinds of sources that there are, and what each needs in `sources.yaml`."""

from __future__ import annotations

from collections.abc import Mapping

from services.ingest.platforms import PLATFORMS

OWN = ("form", "events")
"""Kinds without a platform behind them: web forms, and whoever sends our own events."""

KINDS = (*OWN, *PLATFORMS)

NEEDS: Mapping[str, tuple[str, ...]] = {kind: platform.needs for kind, platform in PLATFORMS.items()}
"""Keys that an entry of the kind must have: what can be verified must be."""

MAY_BE_UNSIGNED = ("linkedin",)
"""Kinds whose notices hold nothing of a person, and whose leads are fetched from the platform itself."""
