from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from services.ingest.collector.app import make_collector
from services.ingest.publisher import MemoryPublisher
from services.ingest.source import Source, Sources


async def test_a_source_that_is_silent_for_too_long_shows_in_the_metrics_until_it_speaks() -> None:
    now = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)
    source = Source("newsletter", "form", expect_every=3_600)
    app = make_collector(Sources((source,)), MemoryPublisher(), clock=lambda: now)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test") as door:

        async def silent() -> str:
            lines = (await door.get("/metrics")).text.splitlines()
            return next(line for line in lines if line.startswith('baton_source_silent{source="newsletter"}'))

        assert (await silent()).endswith(" 0.0")
        now += timedelta(hours=2)
        assert (await silent()).endswith(" 1.0")
        await door.post("/v1/forms/newsletter", data={"email": "ana@example.com"})
        assert (await silent()).endswith(" 0.0")
