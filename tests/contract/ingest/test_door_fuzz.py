"""Whatever is sent, the door never breaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.collector.app import make_collector
from services.ingest.publisher import MemoryPublisher
from services.ingest.source import Source, Sources

SOURCES = Sources(
    (Source("website", "form", region="US"), Source("events", "events"), Source("google", "google", secrets=("k",)))
)
MEDIA = (
    "",
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=b",
    "application/cloudevents+json",
    "application/json; charset=\u00e4",
)
ADDRESSES = ("/v1/events", "/v1/forms/website", "/v1/webhooks/google", "/v1/webhooks/%00", "/v1/forms/\u2603")


APP = make_collector(SOURCES, MemoryPublisher())


def status_of(address: str, media: str, body: bytes) -> int:
    async def send() -> int:
        transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector.test") as door:
            answer = await door.post(address, content=body, headers={b"content-type": media.encode()})
            return answer.status_code

    return asyncio.run(send())


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
)
near_events = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.one_of(anything, st.just("e")),
        "type": st.one_of(anything, st.just("t")),
        "occurred_at": st.one_of(anything, st.datetimes().map(str), st.just("2026-01-01T00:00:00Z")),
        "source": st.one_of(anything, st.just("events"), st.just("google")),
        "subject": st.one_of(
            anything,
            st.fixed_dictionaries({"email": st.one_of(anything, st.emails()), "phone": anything}),
            st.just({"anonymous_id": "c"}),
        ),
        "attributes": anything,
        "properties": anything,
        "campaign": anything,
        "consent": anything,
        "schema_version": anything,
        "specversion": anything,
        "data": anything,
        "time": anything,
        "id": anything,
        "google_key": st.just("k"),
        "lead_id": st.one_of(anything, st.just("l")),
        "user_column_data": anything,
        "fields": anything,
        "context": anything,
        "legalConsentOptions": anything,
        "submittedAt": anything,
    },
)
bodies = st.one_of(
    st.binary(max_size=200),
    anything.map(lambda value: json.dumps(value).encode()),
    near_events.map(lambda value: json.dumps(value).encode()),
    st.lists(near_events, max_size=3).map(lambda values: "\n".join(map(json.dumps, values)).encode()),
    st.binary(max_size=80).map(lambda raw: b'--b\r\nContent-Disposition: form-data; name="x"\r\n' + raw + b"\r\n--b--"),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ADDRESSES), st.sampled_from(MEDIA), bodies)
def test_no_body_breaks_the_door(address: str, media: str, body: bytes) -> None:
    assert status_of(address, media, body) < 500


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("address", ["/v1/events", "/v1/forms/website", "/v1/webhooks/google", "/"])
async def test_no_method_breaks_the_door(door: Any, method: str, address: str) -> None:
    assert 400 <= (await door.request(method, address)).status_code < 500
