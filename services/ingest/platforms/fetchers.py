"""What fetches the leads of platforms that only give notice of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.ingest.platforms.linkedin_api import LeadSyncReader
from services.ingest.platforms.meta_graph import GraphReader
from services.ingest.platforms.platform import Fetcher

FETCHERS: Mapping[str, Callable[[], Fetcher]] = {"meta": GraphReader, "linkedin": LeadSyncReader}
"""By kind, each to be made where an event loop runs, and to be closed by who made it."""
