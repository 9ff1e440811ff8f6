"""The kinds of sources that there are, and what each needs in `sources.yaml`."""

from __future__ import annotations

from collections.abc import Mapping

from services.ingest.platforms import PLATFORMS

OWN = ("form", "events")
"""Kinds without a platform behind them: web forms, and whoever sends our own events."""

KINDS = (*OWN, *PLATFORMS)

NOT_BUILT = tuple(
    kind for kind in ("linkedin", "tiktok", "hubspot", "segment", "webflow", "standard") if kind not in PLATFORMS
)
"""Kinds that are named in the contract and do not work yet."""

NEEDS: Mapping[str, tuple[str, ...]] = {kind: platform.needs for kind, platform in PLATFORMS.items()}
"""Keys that an entry of the kind must have: what can be verified must be."""
