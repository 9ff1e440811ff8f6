"""A verified delivery may still hold anything: it is events, or a refusal, never a broken parser.

Each place of each real payload is replaced by each of the values that parsers trip over.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest import cloudevents
from services.ingest.collector import hubspot_form
from services.ingest.fields import event_data
from services.ingest.platforms import PLATFORMS, linkedin
from services.ingest.platforms.meta import event_of_lead
from services.ingest.platforms.platform import Delivery, Notice
from services.ingest.reading import event_of
from services.ingest.refusal import Refused
from services.ingest.source import Source

NOW = datetime(2026, 9, 25, tzinfo=UTC)
SOURCE = Source("x", "x", secrets=("k", "not-base64!"), verify_token="v", access_token="a")
PAYLOADS = Path(__file__).parents[2] / "contract" / "ingest" / "payloads"
KINDS = {
    "google": "google-lead",
    "meta": "meta-leadgen",
    "linkedin": "linkedin-notification",
    "tiktok": "tiktok-lead",
    "typeform": "typeform-response",
    "hubspot": "hubspot-webhook",
    "segment": "segment-batch",
    "webflow": "webflow-form",
    "standard": "cloudevent-structured",
}
HOSTILE: tuple[Any, ...] = (
    *(None, True, 5, -1, 2**70, 1e300, "", "http://[", "\u00e9" * 2_000, "²"),
    *([], [5], {}, {"": [{}]}, [{"name": 5, "values": 5}]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a payload but the whole."""
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


def damaged(name: str) -> Iterator[Any]:
    """A real payload with one place damaged, each place in each way; and what is no such payload at all."""
    payload = json.loads((PAYLOADS / f"{name}.json").read_text())
    yield from HOSTILE
    for *way, last in places(payload):
        for value in HOSTILE:
            broken = copy.deepcopy(payload)
            parent = broken
            for step in way:
                parent = parent[step]
            parent[last] = value
            yield broken


def test_every_kind_is_tried() -> None:
    assert PLATFORMS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_damaged_delivery_is_events_or_a_refusal(kind: str) -> None:
    platform, taken, refused = PLATFORMS[kind], 0, 0
    headers = dict.fromkeys(("webhook-id", "webhook-timestamp", "authorization", "x-webflow-timestamp"), "1")
    for payload in damaged(KINDS[kind]):
        delivery = Delivery(json.dumps(payload).encode(), NOW, headers)
        with suppress(Refused):
            platform.verify(delivery, SOURCE)
        try:
            parsed = platform.parse(delivery, SOURCE)
        except Refused:
            refused += 1
        else:
            taken += bool(parsed.events or parsed.notices)
            refused += bool(parsed.refused)

    assert taken > 0
    assert refused > 0


def test_a_damaged_lead_of_the_graph_is_an_event_or_a_refusal() -> None:
    for lead in damaged("meta-graph-lead"):
        if isinstance(lead, dict):
            with suppress(Refused):
                assert event_of_lead(lead, Notice("1", {}), SOURCE, NOW).event_id == "x:1"


def test_a_damaged_lead_or_form_of_linkedin_is_an_event_or_a_refusal() -> None:
    lead, form = (
        json.loads((PAYLOADS / f"{name}.json").read_text()) for name in ("linkedin-form-response", "linkedin-form")
    )
    pairs = [
        *((one, form) for one in damaged("linkedin-form-response")),
        *((lead, one) for one in damaged("linkedin-form")),
    ]
    for one, its_form in pairs:
        if isinstance(one, dict) and isinstance(its_form, dict):
            with suppress(Refused):
                assert linkedin.event_of_lead(one, its_form, Notice("1", {}), SOURCE, NOW).event_id == "x:1"


def test_a_damaged_form_of_hubspot_s_shape_is_an_event_or_a_refusal() -> None:
    for form in damaged("hubspot-form"):
        if isinstance(form, dict) and hubspot_form.is_hubspot(form):
            at = hubspot_form.submitted_at(form) or NOW
            pairs = list(hubspot_form.pairs(form))
            data = event_data(pairs, event_id="1", type="t", occurred_at=at, source="x")
            data["consent"] += hubspot_form.consents(form)
            with suppress(Refused):
                assert event_of(data, NOW).event_id == "1"


def test_a_damaged_cloudevent_is_an_event_or_a_refusal() -> None:
    for envelope in damaged("cloudevent-structured"):
        if cloudevents.is_structured(envelope):
            with suppress(Refused):
                assert event_of(cloudevents.unwrap(envelope), NOW).source
