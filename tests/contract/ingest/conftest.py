"""A collector without a broker, and payloads as the platforms' documentation shows them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.collector.app import make_collector
from services.ingest.collector.door import Limits
from services.ingest.publisher import MemoryPublisher
from services.ingest.source import Source, Sources

NOW = datetime(2026, 9, 25, 12, 0, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"

SOURCES = Sources(
    (
        Source("website", "form", region="US", origins=("https://www.example.com",)),
        Source("anywhere", "form", event="demo_requested"),
        Source("events", "events", aliases=("https://events.example.com/webinars",)),
        Source("shop", "events", secrets=("old-token", "new-token")),
        Source("google-ads", "google", secrets=("REPLACE_WITH_KEY", "the-next-key")),
        Source("google-closed", "google", closed=True, unset=("GOOGLE_LEADS_KEY",)),
        Source("typeform", "typeform", secrets=("tf-secret",)),
        Source("webflow", "webflow", secrets=("wf-secret",)),
        Source("tiktok", "tiktok", secrets=("tt-secret",)),
        Source("segment", "segment", secrets=("write-key",)),
        Source(
            "hubspot", "hubspot", secrets=("hs-secret",), public_url="https://hooks.example.com/v1/webhooks/hubspot"
        ),
        Source("standard", "standard", secrets=("whsec_" + "c3RhbmRhcmQtc2VjcmV0LTI0LWJ5dGVz",)),
        Source("meta", "meta", secrets=("app-secret",), verify_token="verify-me", access_token="graph-token"),
    )
)


@pytest.fixture
def payload() -> Callable[[str], bytes]:
    return lambda name: (PAYLOADS / f"{name}.json").read_bytes()


@pytest.fixture
def publisher() -> MemoryPublisher:
    return MemoryPublisher()


@pytest.fixture
def taken(publisher: MemoryPublisher) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [json.loads(record.value) for record in publisher.records]


@pytest.fixture
async def door(publisher: MemoryPublisher) -> AsyncIterator[httpx.AsyncClient]:
    app = make_collector(SOURCES, publisher, clock=lambda: NOW, limits=Limits(body_seconds=0.2))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://collector.test") as client:
        yield client


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    def make(**more: Any) -> dict[str, Any]:
        return {
            "event_id": "e-1",
            "type": "page_viewed",
            "occurred_at": "2026-09-25T11:00:00Z",
            "source": "events",
            "subject": {"anonymous_id": "c-1"},
            **more,
        }

    return make
